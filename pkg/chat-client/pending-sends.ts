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
    return [...this.#pending].map(([commandId, { request }]) => toCommand(commandId, request));
  }

  accept({ commandId, messageId, seq, createdAt = new Date() }: Accepted): void {
    this.#pending.get(commandId)?.resolve({ messageId, seq, createdAt });
    this.#pending.delete(commandId);
  }

  /** A temporary refusal leaves the message pending and returns the command to send again. */
  refuse(commandId: string, error: ChatClientError): Command | undefined {
    const pending = this.#pending.get(commandId);
    if (!pending) return undefined;
    if (error.temporary) return toCommand(commandId, pending.request);
    this.#pending.delete(commandId);
    pending.reject(error);
    return undefined;
  }

  /** Rejects all of them. */
  fail(error: unknown): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

function toCommand(commandId: string, value: SendMessageRequest): Command {
  return { commandId, command: { $case: 'sendMessage', value } };
}
