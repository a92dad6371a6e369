import {
  type CaughtUp,
  type ChatRemoved,
  type Command,
  type Message,
  StartFrom,
  type Subscribed,
} from '../api/chat/v1/chat.ts';
import type { AllEvents } from './chat-client-events.ts';
import type { ChatClientError } from './chat-error.ts';
import type { Emitter } from './emitter.ts';

/** The id of the command that subscribes. */
export const subscribeId = 'subscribe';

/** How far each chat has been heard. It tells of each message once, however often the service does. */
export class Subscriptions {
  readonly #emitter: Emitter<AllEvents>;
  readonly #cursors = new Map<string, number>();
  #everSubscribed = false;

  constructor(emitter: Emitter<AllEvents>) {
    this.#emitter = emitter;
  }

  /** Subscribes to all chats, each from where it was left. */
  command(): Command {
    const cursors = Object.fromEntries(this.#cursors);
    // Whatever was joined while this client was away is told from its beginning; at first only what happens from now on.
    const others = this.#everSubscribed ? StartFrom.JOINED : StartFrom.NOW;
    return { commandId: subscribeId, command: { $case: 'subscribeAll', value: { cursors, others } } };
  }

  /** The command has been carried out. */
  accepted(): void {
    this.#everSubscribed = true;
  }

  /** The command was refused. Chats that the service does not have that far begin anew with the next one. */
  refused({ reason, violations }: ChatClientError): void {
    if (reason !== 'CURSOR_IN_FUTURE') return;
    for (const { field } of violations) {
      const chatId = /"(.+)"/.exec(field)?.[1] ?? '';
      if (this.#cursors.delete(chatId)) this.#emitter.emit('reset', { chatId });
    }
  }

  subscribed({ chatId, afterSeq }: Subscribed): void {
    if (this.#cursors.has(chatId)) return;
    this.#cursors.set(chatId, afterSeq);
    this.#emitter.emit('gap', { chatId, afterSeq });
  }

  message(message: Message): void {
    const { chatId, updateSeq } = message;
    if (updateSeq <= (this.#cursors.get(chatId) ?? 0)) return;
    this.#cursors.set(chatId, updateSeq);
    this.#emitter.emit('message', message);
  }

  caughtUp({ chatId, seq }: CaughtUp): void {
    this.#cursors.set(chatId, Math.max(seq, this.#cursors.get(chatId) ?? 0));
    this.#emitter.emit('caughtUp', { chatId, seq });
  }

  removed({ chatId, reason }: ChatRemoved): void {
    this.#cursors.delete(chatId);
    this.#emitter.emit('chatRemoved', { chatId, reason });
  }
}
