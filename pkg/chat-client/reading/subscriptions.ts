import {
  type CaughtUp,
  type ChatRemoved,
  type Command,
  type Limits,
  type Message,
  RemovalReason,
  StartFrom,
  type Subscribed,
} from '../../api/chat/v1/chat.ts';
import type { ChatClientError } from '../errors/chat-error.ts';
import type { AllEvents } from '../events/chat-client-events.ts';
import type { Emitter } from '../events/emitter.ts';

/** The id of the command that subscribes. */
export const subscribeId = 'subscribe';

/** More than a cursor takes in a frame of any encoding, and more than what stands around all of them, in bytes. */
const cursorBytes = 64;
const commandBytes = 256;

/** How far each chat has been heard. It tells of each message once, however often the service does. */
export class Subscriptions {
  readonly #emitter: Emitter<AllEvents>;
  readonly #cursors = new Map<string, number>();
  #everSubscribed = false;
  /** Chats whose cursor was left out, until the service has told of them. */
  #untold = new Set<string>();

  constructor(emitter: Emitter<AllEvents>) {
    this.#emitter = emitter;
  }

  /**
   * Subscribes to all chats, each from where it was left. Cursors that do not fit into the service's frames are left out: those chats are told from
   * where they were joined, and what was heard before is passed over.
   */
  command(limits: Limits | undefined): Command {
    const most = limits?.maxFrameBytes
      ? Math.max(0, Math.floor((limits.maxFrameBytes - commandBytes) / cursorBytes))
      : Number.POSITIVE_INFINITY;
    // The longest histories are those not to be told again.
    const known = [...this.#cursors].sort(([, one], [, other]) => other - one).slice(0, most);
    // Whatever was joined while this client was away is told from its beginning; at first only what happens from now on.
    const others = this.#everSubscribed || known.length < this.#cursors.size ? StartFrom.JOINED : StartFrom.NOW;
    const cursors = Object.fromEntries(known);
    this.#untold = new Set([...this.#cursors.keys()].filter((chatId) => cursors[chatId] === undefined));
    return { commandId: subscribeId, command: { $case: 'subscribeAll', value: { cursors, others } } };
  }

  /** The number up to which the chat has been heard; undefined while nothing is told of it. */
  cursor(chatId: string): number | undefined {
    return this.#cursors.get(chatId);
  }

  /** The command has been carried out. */
  accepted(): void {
    this.#everSubscribed = true;
    for (const chatId of this.#untold) this.removed({ chatId, reason: RemovalReason.UNSPECIFIED });
    this.#untold.clear();
  }

  /** The command was refused. Chats that the service does not have that far begin anew with the next one. */
  refused({ reason, violations }: ChatClientError): void {
    if (reason !== 'CURSOR_IN_FUTURE') return;
    for (const { field } of violations) {
      this.#reset(/"(.+)"/.exec(field)?.[1] ?? '');
    }
  }

  subscribed({ chatId, headSeq, afterSeq }: Subscribed): void {
    this.#untold.delete(chatId);
    const cursor = this.#cursors.get(chatId);
    // The service refuses such a cursor if it is told of it.
    if (cursor !== undefined && cursor > headSeq) this.#reset(chatId);
    else if (cursor !== undefined) return;
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

  #reset(chatId: string): void {
    if (this.#cursors.delete(chatId)) this.#emitter.emit('reset', { chatId });
  }
}
