import type { Accepted, Command, SendMessageRequest } from '../api/chat/v1/chat.ts';
import type { ChatClientError } from './chat-error.ts';

/** Where a message came to stand. */
export interface Receipt {
  messageId: string;
  seq: number;
  createdAt: Date;
}

interface Pending {
  request: SendMessageRequest;
  resolve: (receipt: Receipt) => void;
  reject: (error: unknown) => void;
  /** Refused for the time being. */
  refused?: boolean;
}

/** Messages that have no answer yet, in the order in which they were sent. They outlive the streams that carry them. */
export class PendingSends {
  readonly #pending = new Map<string, Pending>();
  readonly #maxPending: number;
  #lastId = 0;

  constructor(maxPending: number) {
    this.#maxPending = maxPending;
  }

  get size(): number {
    return this.#pending.size;
  }

  get full(): boolean {
    return this.#pending.size >= this.#maxPending;
  }

  /** Returns the command that carries the message, and what will become of it. */
  add(request: SendMessageRequest): { command: Command; receipt: Promise<Receipt> } {
    const { promise: receipt, resolve, reject } = Promise.withResolvers<Receipt>();
    this.#lastId += 1;
    const commandId = `s${this.#lastId}`;
    this.#pending.set(commandId, { request, resolve, reject });
    return { command: toCommand(commandId, request), receipt };
  }

  /** To be sent on a new stream: whether the service has them already it will know. */
  commands(): Command[] {
    return this.#commandsOf(() => true);
  }

  /** Those that were refused for the time being, in the order in which they were sent first. Gives each once. */
  refusedCommands(): Command[] {
    return this.#commandsOf(({ refused }) => refused === true);
  }

  accept({ commandId, messageId, seq, createdAt = new Date() }: Accepted): void {
    this.#pending.get(commandId)?.resolve({ messageId, seq, createdAt });
    this.#pending.delete(commandId);
  }

  /** True if the refusal is temporary: the message stays pending then, to be sent again. */
  refuse(commandId: string, error: ChatClientError): boolean {
    const pending = this.#pending.get(commandId);
    if (!pending) return false;
    if (error.temporary) {
      pending.refused = true;
      return true;
    }
    this.#pending.delete(commandId);
    pending.reject(error);
    return false;
  }

  /** Rejects all of them. */
  fail(error: unknown): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  #commandsOf(condition: (pending: Pending) => boolean): Command[] {
    const found = [...this.#pending].filter(([, pending]) => condition(pending));
    for (const [, pending] of found) pending.refused = false;
    return found.map(([commandId, { request }]) => toCommand(commandId, request));
  }
}

function toCommand(commandId: string, value: SendMessageRequest): Command {
  return { commandId, command: { $case: 'sendMessage', value } };
}
