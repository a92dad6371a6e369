import type { Command } from '../../api/chat/v1/chat.ts';
import type { Receipt } from '../messages/receipt.ts';
import type { DurableCommand } from './durable-command.ts';

/** An unanswered command. */
export interface Pending {
  command: DurableCommand;
  resolve: (receipt: Receipt) => void;
  reject: (error: unknown) => void;
  /** Whether the service refused the command temporarily and it was not sent again yet. */
  refused: boolean;
}

/** Unanswered durable commands in the order in which they were added. They outlive the streams on which they are sent. */
export class PendingCommands {
  readonly #pending = new Map<string, Pending>();
  #lastId = 0;

  get size(): number {
    return this.#pending.size;
  }

  get all(): DurableCommand[] {
    return [...this.#pending.values()].map(({ command }) => command);
  }

  /** Returns the command with its command id, and the promise of its receipt. */
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

  /** Removes and returns a command that the service accepted or permanently refused. */
  take(commandId: string): Pending | undefined {
    const pending = this.#pending.get(commandId);
    this.#pending.delete(commandId);
    return pending;
  }

  /** Returns all commands, to be sent on a new stream. The service recognises those that it has carried out already. */
  commands(): Command[] {
    return this.#commandsOf(() => true);
  }

  /** Returns the commands that were refused temporarily, in their first order. Returns each refusal once. */
  refusedCommands(): Command[] {
    return this.#commandsOf(({ refused }) => refused);
  }

  /** Rejects and removes all commands. */
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
