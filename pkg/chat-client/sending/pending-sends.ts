import type { Command } from '../../api/chat/v1/chat.ts';
import type { PendingMessage } from '../messages/pending-message.ts';
import type { Receipt } from '../messages/receipt.ts';

/** A message that has no answer yet. */
export interface Pending {
  message: PendingMessage;
  resolve: (receipt: Receipt) => void;
  reject: (error: unknown) => void;
  /** Refused for the time being. */
  refused: boolean;
}

/** Messages that have no answer yet, in the order in which they were sent. They outlive the streams that carry them. */
export class PendingSends {
  readonly #pending = new Map<string, Pending>();
  #lastId = 0;

  get size(): number {
    return this.#pending.size;
  }

  get messages(): PendingMessage[] {
    return [...this.#pending.values()].map(({ message }) => message);
  }

  /** Returns the command that carries the message, and what will become of it. */
  add(message: PendingMessage): { command: Command; receipt: Promise<Receipt> } {
    const { promise: receipt, resolve, reject } = Promise.withResolvers<Receipt>();
    this.#lastId += 1;
    const commandId = `s${this.#lastId}`;
    this.#pending.set(commandId, { message, resolve, reject, refused: false });
    return { command: toCommand(commandId, message), receipt };
  }

  get(commandId: string): Pending | undefined {
    return this.#pending.get(commandId);
  }

  /** Takes out what has been answered for good. */
  take(commandId: string): Pending | undefined {
    const pending = this.#pending.get(commandId);
    this.#pending.delete(commandId);
    return pending;
  }

  /** To be sent on a new stream: whether the service has them already it will know. */
  commands(): Command[] {
    return this.#commandsOf(() => true);
  }

  /** Those that were refused for the time being, in the order in which they were sent first. Gives each once. */
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
    return found.map(([commandId, { message }]) => toCommand(commandId, message));
  }
}

function toCommand(commandId: string, { chatId, text, clientMessageId }: PendingMessage): Command {
  return { commandId, command: { $case: 'sendMessage', value: { chatId, text, clientMessageId } } };
}
