import type { ChatClient, Transport } from '../../../pkg/chat-client/index.ts';
import type { ServiceOptions } from '../service/service-options.ts';
import type { SessionStore, StoredSession } from '../sign-in/session-store.ts';

/** How a sub-command was asked to run. */
export interface SubcommandOptions extends ServiceOptions {
  user: string | undefined;
  json: boolean;
  /** What follows the sub-command's name. */
  positionals: string[];
  /** The sub-command's own options. */
  values: Record<string, string | boolean | string[] | undefined>;
}

/** What a sub-command has to work with. */
export interface SubcommandContext {
  options: SubcommandOptions;
  transport: Transport;
  sessions: SessionStore;
  /** Signed in, but not connected; closed afterwards. */
  client(): Promise<ChatClient>;
  /** Whom the stored session is of. */
  session(): Promise<StoredSession | undefined>;
  /** Prints what came of it: text for people, or the object where JSON was asked for. Resolves when there is room for more. */
  print(text: string, json: object): Promise<void>;
  /** All of the standard input. */
  readInput(): Promise<string>;
  /** A line typed without being shown; undefined if nobody sits there. */
  askSecret(question: string): Promise<string | undefined>;
  stdinIsTerminal: boolean;
  /** Aborts when the program is told to end, or nobody reads its output any more. */
  signal: AbortSignal;
}

/** One thing that the program does and then ends. */
export interface Subcommand {
  name: string;
  /** What follows the name: `CHAT [TEXT]`. */
  parameters: string;
  positionals: { min: number; max: number };
  summary: string;
  /** Its own options, a line each. */
  help?: string;
  options: Record<string, { type: 'string' | 'boolean'; multiple?: boolean }>;
  /** Whether to be interrupted is how it ends. */
  untilInterrupted?: boolean;
  run(context: SubcommandContext): Promise<void>;
}

/** The command line is wrong in a way that only the sub-command knows. */
export class UsageError extends Error {}
