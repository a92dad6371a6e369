import type { AdminClient } from '../client/admin-client.ts';

/** What a sub-command has to work with. */
export interface SubcommandContext {
  client: AdminClient;
  /** The values of the sub-command's own options. */
  values: Readonly<Record<string, string | boolean | undefined>>;
  /** Prints a result: the text, or with --json the object. */
  print(text: string, object: object): void;
  /** Shows what the program is waiting for, where somebody can see it. */
  progress(text: string): void;
  /** Aborts when the program is interrupted. */
  signal: AbortSignal;
}

/** A command that asks the service for one thing. */
export interface Subcommand {
  name: string;
  /** Begins with a small letter and has no full stop. */
  summary: string;
  /** The usage of its own options, one line each. */
  help?: string;
  /** Whether it needs the access token of an administrator, instead of the operator's token. */
  console?: boolean;
  options: Record<string, { type: 'string' | 'boolean' }>;
  run(context: SubcommandContext): Promise<void>;
}

/** The option of sub-commands that ask one process. */
export const workerOption = {
  options: { worker: { type: 'string' } },
  help: '  --worker N         the process to ask: 0 is the one that listens, 1 to WORKERS are its workers (default: 0)',
} as const;
