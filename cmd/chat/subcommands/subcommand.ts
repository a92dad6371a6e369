import type { ChatClient, Transport } from '../../../pkg/chat-client/index.ts';
import type { ServiceOptions } from '../service/service-options.ts';
import type { SessionStore, StoredSession } from '../sign-in/session-store.ts';

/** The options of a sub-command. */
export interface SubcommandOptions extends ServiceOptions {
  user: string | undefined;
  json: boolean;
  /** The arguments after the sub-command's name. */
  positionals: string[];
  /** The values of the sub-command's own options. */
  values: Record<string, string | boolean | string[] | undefined>;
}

/** What a sub-command has to work with. */
export interface SubcommandContext {
  options: SubcommandOptions;
  transport: Transport;
  sessions: SessionStore;
  /** A client that is signed in but not connected. The caller of the sub-command closes it. */
  client(): Promise<ChatClient>;
  /** The stored session, if there is one. */
  session(): Promise<StoredSession | undefined>;
  /** Prints a result: the text, or with --json the object. Resolves when the output has room for more. */
  print(text: string, json: object): Promise<void>;
  /** Reads standard input to its end. */
  readInput(): Promise<string>;
  /** Asks for a line that is not shown while it is typed; undefined if there is no terminal. */
  askSecret(question: string): Promise<string | undefined>;
  stdinIsTerminal: boolean;
  /** Aborts when the program receives a signal to end, or its output is closed. */
  signal: AbortSignal;
}

/** A command that does one thing and ends. */
export interface Subcommand {
  name: string;
  /** The arguments after the name, for the usage: `CHAT [TEXT]`. */
  parameters: string;
  positionals: { min: number; max: number };
  summary: string;
  /** The usage of its own options, one line each. */
  help?: string;
  options: Record<string, { type: 'string' | 'boolean'; multiple?: boolean }>;
  /** Whether an interruption is its normal end. */
  untilInterrupted?: boolean;
  run(context: SubcommandContext): Promise<void>;
}

/** A fault in the command line that only the sub-command can find. */
export class UsageError extends Error {}
