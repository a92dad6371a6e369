import {
  type CaughtUp,
  type ChatRemoved,
  type Command,
  type Covered,
  type Limits,
  type Message,
  type MessagePart,
  type ReactionChanged,
  RemovalReason,
  type Reset,
  StartFrom,
  type Subscribed,
} from '../../api/chat/v1/chat.ts';
import type { ChatClientError } from '../errors/chat-error.ts';
import type { AllEvents } from '../events/chat-client-events.ts';
import type { Emitter } from '../events/emitter.ts';
import { EarlyStates } from './newest-states.ts';

/** The command id of the `subscribe_all` command. */
export const subscribeId = 'subscribe';

/** Upper bounds in bytes, in any encoding: of one cursor with its epoch in the command, and of the rest of the command. */
const cursorBytes = 160;
const commandBytes = 256;

/** Keeps a cursor for each chat, and emits each message once, even if the service delivers it again. */
export class Subscriptions {
  readonly #emitter: Emitter<AllEvents>;
  readonly #cursors = new Map<string, number>();
  /** By chat, the epoch of its cursor. */
  readonly #epochs = new Map<string, string>();
  /** By chat, the highest number in anything that the client has received, which may be ahead of its cursor: answers to calls, and receipts. */
  readonly #seen = new Map<string, number>();
  readonly #early = new EarlyStates();
  #everSubscribed = false;
  /** Chats that an answer says the user is a member of, and for which no `subscribed` has arrived yet. */
  readonly #joined = new Set<string>();
  /** Chats that the command said nothing of, though the user was a member, and for which no `subscribed` has arrived yet. */
  #untold = new Set<string>();

  constructor(emitter: Emitter<AllEvents>) {
    this.#emitter = emitter;
    emitter.on('sent', ({ chatId, seq }) => this.saw(chatId, seq));
    emitter.on('changeSent', ({ chatId, seq }) => this.saw(chatId, seq));
  }

  /**
   * Returns the command that subscribes to all chats, each after its cursor. Cursors that do not fit into a frame are left out: the service
   * delivers those chats from where the user joined, and the messages that the client already has are dropped.
   */
  command(limits: Limits | undefined): Command {
    const most = limits?.maxFrameBytes
      ? Math.max(0, Math.floor((limits.maxFrameBytes - commandBytes) / cursorBytes))
      : Number.POSITIVE_INFINITY;
    // Chats with the longest histories keep their cursors: repeating them would cost the most.
    const known = [...this.#cursors].sort(([, one], [, other]) => other - one).slice(0, most);
    // The first subscription starts with live messages; later ones include chats that were joined while the client was offline.
    const others = this.#everSubscribed || known.length < this.#cursors.size ? StartFrom.JOINED : StartFrom.NOW;
    const cursors = Object.fromEntries(known);
    const epochs = Object.fromEntries(known.map(([chatId]) => [chatId, this.#epochs.get(chatId) ?? '']));
    const leftOut = [...this.#cursors.keys()].filter((chatId) => cursors[chatId] === undefined);
    this.#untold = new Set([...leftOut, ...this.#joined]);
    return { commandId: subscribeId, command: { $case: 'subscribeAll', value: { cursors, others, epochs } } };
  }

  /** Returns the highest number that the client received of the chat; undefined if it is not subscribed to the chat. */
  cursor(chatId: string): number | undefined {
    return this.#cursors.get(chatId);
  }

  /** Handles an answer to a call that says that the user is a member of the chat. The connection may end before it is subscribed to the chat. */
  joined(chatId: string): void {
    if (!this.#cursors.has(chatId)) this.#joined.add(chatId);
  }

  /** Notes that the client has received something with this number of a chat by other means than the stream. */
  saw(chatId: string, seq: number): void {
    if (seq > (this.#seen.get(chatId) ?? 0)) this.#seen.set(chatId, seq);
  }

  /** Handles `accepted`: a chat without a `subscribed` until now is no longer the user's. */
  accepted(): void {
    this.#everSubscribed = true;
    for (const chatId of this.#untold) this.removed({ chatId, reason: RemovalReason.UNSPECIFIED });
    this.#untold.clear();
  }

  /** Handles a refusal. The next command has no cursors for chats of which the service has fewer messages than the client. */
  refused({ reason, violations }: ChatClientError): void {
    if (reason !== 'CURSOR_IN_FUTURE') return;
    for (const { field } of violations) {
      this.#reset(/"(.+)"/.exec(field)?.[1] ?? '');
    }
  }

  /** Keeps a cursor that the service was given: if the cursor's epoch is over, `reset` follows. */
  subscribed({ chatId, headSeq, afterSeq, epoch }: Subscribed): void {
    this.#joined.delete(chatId);
    const wasGiven = !this.#untold.delete(chatId);
    const cursor = this.#cursors.get(chatId);
    const known = this.#epochs.get(chatId) || epoch;
    if (cursor !== undefined) {
      const isValid = wasGiven || (known === epoch && cursor <= headSeq);
      if (isValid) return void this.#epochs.set(chatId, known);
      this.#reset(chatId);
    }
    this.#epochs.set(chatId, epoch);
    this.#cursors.set(chatId, afterSeq);
    this.#emitter.emit('gap', { chatId, afterSeq, epoch });
  }

  /** Handles that the service's database has gone back: the chat's numbers after `fromSeq` may belong to other messages now. */
  reset({ chatId, epoch, fromSeq }: Reset): void {
    const cursor = this.#cursors.get(chatId) ?? 0;
    const seen = Math.max(cursor, this.#seen.get(chatId) ?? 0);
    this.#seen.delete(chatId);
    this.#epochs.set(chatId, epoch);
    if (cursor > fromSeq) {
      this.#cursors.set(chatId, fromSeq);
      this.#early.clear();
    }
    this.#emitter.emit('epoch', { chatId, epoch, fromSeq });
    if (seen > fromSeq) this.#emitter.emit('reset', { chatId });
  }

  message(message: Message): void {
    if (!this.#advance(message.chatId, message.seq)) return;
    this.#early.add(message);
    this.#emitter.emit('message', message);
  }

  messageChanged(message: Message): void {
    const { chatId, updateSeq } = message;
    if (!this.#advance(chatId, updateSeq)) return;
    if (this.#early.take(message)) this.#emitter.emit('covered', { chatId, fromSeq: updateSeq, toSeq: updateSeq });
    else this.#emitter.emit('messageChanged', message);
  }

  reaction(change: ReactionChanged): void {
    if (this.#advance(change.chatId, change.seq)) this.#emitter.emit('reaction', change);
  }

  messagePart(part: MessagePart): void {
    const { chatId, messageId, seq } = part;
    if (!this.#advance(chatId, seq)) return;
    if (this.#early.take({ id: messageId, updateSeq: seq }))
      this.#emitter.emit('covered', { chatId, fromSeq: seq, toSeq: seq });
    else this.#emitter.emit('messagePart', part);
  }

  covered(covered: Covered): void {
    if (this.#advance(covered.chatId, covered.toSeq)) this.#emitter.emit('covered', covered);
  }

  /** Moves the chat's cursor. Returns false if the client has received this number before. */
  #advance(chatId: string, seq: number): boolean {
    if (seq <= (this.#cursors.get(chatId) ?? 0)) return false;
    this.#cursors.set(chatId, seq);
    return true;
  }

  caughtUp({ chatId, seq }: CaughtUp): void {
    this.#cursors.set(chatId, Math.max(seq, this.#cursors.get(chatId) ?? 0));
    this.#emitter.emit('caughtUp', { chatId, seq });
  }

  removed({ chatId, reason }: ChatRemoved): void {
    this.#joined.delete(chatId);
    this.#seen.delete(chatId);
    this.#cursors.delete(chatId);
    this.#epochs.delete(chatId);
    this.#emitter.emit('chatRemoved', { chatId, reason });
  }

  #reset(chatId: string): void {
    if (!this.#cursors.delete(chatId)) return;
    this.#seen.delete(chatId);
    this.#early.clear();
    this.#emitter.emit('epoch', { chatId, epoch: '', fromSeq: 0 });
    this.#emitter.emit('reset', { chatId });
  }
}
