import type { Command } from '../../api/chat/v1/chat.ts';
import type { Receipt } from '../messages/receipt.ts';
import type { DurableCommand } from './durable-command.ts';

/** A command that has no answer yet. */
export interface Pending {
  command: DurableCommand;
  resolve: (receipt: Receipt) => void;
  reject: (error: unknown) => void;
  /** The service refused it for the time being. */
  refused: boolean;
}

/** Durable commands that have no answer yet, in the order in which they were made. They outlive the streams that carry them. */
export class PendingCommands {
  readonly #pending = new Map<string, Pending>();
  #lastId = 0;

  get size(): number {
    return this.#pending.size;
  }

  get all(): DurableCommand[] {
    return [...this.#pending.values()].map(({ command }) => command);
  }

  /** Returns the command with an id for the stream, and the promise of its receipt. */
  add(body: DurableCommand): { command: Command; receipt: Promise<Receipt> } {
    const { promise: receipt, resolve, reject } = Promise.withResolvers<Receipt>();
    this.#lastId += 1;
    const commandId = `s${this.#lastId}`;
    this.#pending.set(commandId, { command: body, resolve, reject, refused: false });
    return { command: { commandId, command: body }, receipt };
  }

  get(commandId: string): Pending | undefined {
    return this.#pending.get(commandId);
  }

  /** Takes out a command that has been answered for good. */
  take(commandId: string): Pending | undefined {
    const pending = this.#pending.get(commandId);
    this.#pending.delete(commandId);
    return pending;
  }

  /** All of them, for a new stream: the service recognises those that it has carried out already. */
  commands(): Command[] {
    return this.#commandsOf(() => true);
  }

  /** Those that were refused for the time being, in their first order. Gives each once. */
  refusedCommands(): Command[] {
    return this.#commandsOf(({ refused }) => refused);
  }

  /** Rejects all of them. */
  fail(error: unknown): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  #commandsOf(condition: (pending: Pending) => boolean): Command[] {
    const found = [...this.#pending].filter(([, pending]) => condition(pending));
    for (const [, pending] of found) pending.refused = false;
    return found.map(([commandId, { command }]) => ({ commandId, command }));
  }
}
