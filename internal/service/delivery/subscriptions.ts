import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '../../../pkg/backoff/backoff.ts';
import { equalJitter } from '../../../pkg/backoff/jitter.ts';
import type { Chat } from '../../model/chat.ts';
import type { Cursor, StartFrom } from '../../model/command.ts';
import { ChatError } from '../../model/errors.ts';
import type { Event, RemovalReason } from '../../model/event.ts';
import type { EventEncoder } from '../../model/event-encoder.ts';
import type { ChatRepository } from '../../repository/chat-repository.ts';
import type { EpochRepository } from '../../repository/epoch-repository.ts';
import type { MembershipRepository, MembershipSnapshot } from '../../repository/membership-repository.ts';
import type { MessageRepository } from '../../repository/message-repository.ts';
import type { Hub, TopicHandle } from './hub.ts';
import type { OutboundBuffer } from './outbound-buffer.ts';
import { cursorsInFuture, findStarts, readInOneEpoch, type Start, startOf } from './start.ts';
import { Subscription, type SubscriptionOwner } from './subscription.ts';

interface Deps {
  hub: Hub;
  chats: ChatRepository;
  memberships: MembershipRepository;
  messages: MessageRepository;
  epochs: EpochRepository;
  outbound: OutboundBuffer;
  encoder: EventEncoder;
  userId: string;
  /** Called with each failure to read from the database; the read is tried again. */
  onRetry: (error: unknown) => void;
}

interface Options {
  maxSubscriptions: number;
  /** Entries of a page from the database. */
  pageSize: number;
}

/** Between two attempts to read from the database. */
const pausesAfterFailures = { firstMs: 150, maxMs: 3_000, jitter: 'equal' } as const;

/**
 * The subscriptions of one session: to the chats that it named and, after `subscribeAll`, to every chat that the user is or becomes a member
 * of. Subscriptions that are catching up read one page each in turn, and only while the outbound buffer has room.
 */
export class Subscriptions implements SubscriptionOwner {
  readonly #deps: Deps;
  readonly #options: Options;
  readonly #subscriptions = new Map<string, Subscription>();
  #behind: Set<Subscription> | undefined;
  #catchingUp = false;
  #closed = false;
  #stopWatching: (() => void) | undefined;
  /** Chats that the client unsubscribed from. A change of other memberships does not subscribe to them again. */
  #unwanted: Set<string> | undefined;
  /** Where the reader goes on in a chat once it is a member again, by chat. At most `maxSubscriptions`: the oldest are forgotten. */
  #resumeAfter: Map<string, Cursor> | undefined;
  /** Settles when the last change of the subscriptions is done: changes are made one after the other. */
  #lastChange: Promise<unknown> = Promise.resolve();
  #refreshing = false;
  #waitingForRoom = false;

  constructor(deps: Deps, options: Options) {
    this.#deps = deps;
    this.#options = options;
  }

  get size(): number {
    return this.#subscriptions.size;
  }

  get userId(): string {
    return this.#deps.userId;
  }

  get outbound(): OutboundBuffer {
    return this.#deps.outbound;
  }

  get encoder(): EventEncoder {
    return this.#deps.encoder;
  }

  get messages(): MessageRepository {
    return this.#deps.messages;
  }

  get pageSize(): number {
    return this.#options.pageSize;
  }

  /**
   * Starts delivery after the given cursor, or after the chat's head. If the numbers after it belong to an earlier epoch, `reset` says so, and delivery
   * starts after the last number that is the same. `findMembership` returns the user's membership, and throws if the user is not a member. Throws what it
   * throws, OUT_OF_RANGE (CURSOR_IN_FUTURE), NOT_FOUND (CHAT_NOT_FOUND), RESOURCE_EXHAUSTED (SUBSCRIPTION_LIMIT), UNAVAILABLE (STORAGE_UNAVAILABLE).
   */
  async subscribe(
    commandId: string,
    findMembership: () => Promise<MembershipSnapshot>,
    cursor: Cursor | undefined,
  ): Promise<void> {
    const epochBefore = this.#deps.epochs.current;
    // Not in its turn: the memberships of several chats are read together.
    const before = await findMembership();
    return this.#change(async () => {
      const { membership, start, handles } = await readInOneEpoch(this.#deps, async (epoch) => {
        const membership = epoch === epochBefore ? before : await findMembership();
        const { chatId, lastSeq } = membership;
        const starts = await findStarts(this.#deps.epochs, epoch, new Map(cursor && [[chatId, cursor]]));
        const start = starts.get(chatId) ?? { afterSeq: lastSeq };
        if (start.afterSeq > lastSeq) throw cursorsInFuture([{ field: 'subscribe.after_seq', lastSeq }]);
        this.#checkCount(this.#subscriptions.size + (this.#subscriptions.has(chatId) ? 0 : 1));
        return { chatIds: [chatId], membership, start };
      });
      const handle = handles.get(membership.chatId);
      if (!handle) throw new ChatError('CHAT_NOT_FOUND', 'there is no such chat');
      this.#unwanted?.delete(membership.chatId);
      this.#start(commandId, membership, handle, start);
    });
  }

  /** Starts delivery of all the user's chats: each after its cursor, those without a cursor where `others` says. Throws as `subscribe`. */
  subscribeAll(commandId: string, cursors: ReadonlyMap<string, Cursor>, others: StartFrom): Promise<void> {
    return this.#change(async () => {
      // Watch before the list is read: a membership that begins during the read is noticed by one of the two.
      const stop =
        this.#stopWatching ?? (await this.#deps.hub.watchMemberships(this.#deps.userId, () => this.#refreshLater()));
      try {
        await this.#startAll(commandId, cursors, others);
        this.#stopWatching = stop;
      } catch (error) {
        if (!this.#stopWatching) stop();
        throw error;
      }
    });
  }

  /** Throws NOT_FOUND (NOT_SUBSCRIBED). */
  unsubscribe(chatId: string): Promise<void> {
    return this.#change(async () => {
      const subscription = this.#subscriptions.get(chatId);
      if (!subscription) throw new ChatError('NOT_SUBSCRIBED', 'this stream is not subscribed to the chat');
      this.#remove(subscription);
      this.#unwanted ??= new Set();
      this.#unwanted.add(chatId);
      this.#deps.outbound.drop(chatId);
    });
  }

  /** Ends all delivery. Twice is harmless. */
  close(): void {
    this.#closed = true;
    this.#stopWatching?.();
    for (const subscription of [...this.#subscriptions.values()]) this.#remove(subscription);
  }

  #change<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#lastChange.then(async () => {
      const changed = await change();
      // A subscription that was begun while the session was being closed ends with it.
      if (this.#closed) this.close();
      return changed;
    });
    this.#lastChange = result.catch(() => {});
    return result;
  }

  async #startAll(commandId: string, cursors: ReadonlyMap<string, Cursor>, others: StartFrom): Promise<void> {
    const { memberships, starts, handles } = await readInOneEpoch(this.#deps, async (epoch) => {
      const memberships = await this.#listMemberships();
      const starts = await findStarts(this.#deps.epochs, epoch, cursors);
      const ahead = memberships.filter(({ chatId, lastSeq }) => (starts.get(chatId)?.afterSeq ?? 0) > lastSeq);
      if (ahead.length > 0) {
        const field = (chatId: string) => `subscribe_all.cursors[${JSON.stringify(chatId)}]`;
        throw cursorsInFuture(ahead.map(({ chatId, lastSeq }) => ({ field: field(chatId), lastSeq })));
      }
      return { chatIds: memberships.map(({ chatId }) => chatId), memberships, starts };
    });
    this.#unwanted = undefined;
    const own = new Set(memberships.map(({ chatId }) => chatId));
    for (const [chatId, cursor] of cursors) {
      if (own.has(chatId)) continue;
      this.#rememberPosition(chatId, cursor);
      this.#tellRemoved(chatId, 'UNKNOWN');
    }
    for (const membership of memberships) {
      const { chatId } = membership;
      const handle = handles.get(chatId);
      const start = starts.get(chatId) ?? { afterSeq: startOf(membership, others) };
      if (handle) this.#start(commandId, membership, handle, start);
    }
  }

  #start(commandId: string, membership: MembershipSnapshot, handle: TopicHandle, { afterSeq, fromEpoch }: Start): void {
    if (this.#closed) return handle.release();
    const { chatId, lastSeq } = membership;
    const { epoch } = handle.topic;
    const replaced = this.#subscriptions.get(chatId);
    if (replaced) this.#remove(replaced);
    const subscription = new Subscription(this, { chatId, handle, afterSeq, verifiedSeq: lastSeq });
    this.#subscriptions.set(chatId, subscription);
    this.#resumeAfter?.delete(chatId);
    this.#tell({ kind: 'subscribed', commandId, chatId, headSeq: lastSeq, afterSeq, epoch });
    if (fromEpoch !== undefined) this.#tell({ kind: 'reset', chatId, epoch, fromSeq: afterSeq });
    subscription.start();
  }

  #remove(subscription: Subscription): void {
    subscription.stop();
    this.#behind?.delete(subscription);
    if (this.#subscriptions.get(subscription.chatId) === subscription) this.#subscriptions.delete(subscription.chatId);
  }

  onBehind(subscription: Subscription): void {
    this.#behind ??= new Set();
    this.#behind.add(subscription);
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    void this.#catchUp();
  }

  onEnded(subscription: Subscription, reason: RemovalReason): void {
    this.#remove(subscription);
    this.#rememberPosition(subscription.chatId, subscription.cursor);
    this.#tellRemoved(subscription.chatId, reason);
    // The user may have become a member again before this node saw the end of the membership.
    if (reason !== 'DELETED') this.#refreshLater();
  }

  /** Reads a page for each subscription that is catching up, in turn, and waits for room before each page. Never throws. */
  async #catchUp(): Promise<void> {
    const behind = this.#behind ?? new Set();
    const pauses = new Backoff(pausesAfterFailures);
    for (let next = first(behind); next && !this.#closed; next = first(behind)) {
      await this.#deps.outbound.whenRoom();
      if (this.#closed) break;
      behind.delete(next);
      try {
        if (!(await next.catchUp())) behind.add(next);
        pauses.reset();
      } catch (error) {
        behind.add(next);
        this.#deps.onRetry(error);
        await sleep(pauses.next());
      }
    }
    this.#catchingUp = false;
  }

  /** Calls `#refresh` after the changes under way; once for any number of calls until then. */
  #refreshLater(): void {
    if (this.#refreshing || this.#closed) return;
    this.#refreshing = true;
    this.#change(() => {
      // A change of the memberships from here on needs another refresh.
      this.#refreshing = false;
      return this.#refresh();
    }).catch((error) => {
      this.#deps.onRetry(error);
      // It would fail again until the memberships change, and a change refreshes anyway.
      if (error instanceof ChatError && error.reason === 'SUBSCRIPTION_LIMIT') return;
      if (!this.#closed) setTimeout(() => this.#refreshLater(), equalJitter(1_000)).unref();
    });
  }

  /** After `subscribeAll`: makes the subscriptions those of the user's memberships. */
  async #refresh(): Promise<void> {
    if (!this.#stopWatching || this.#closed) return;
    const { memberships, added, starts, handles } = await readInOneEpoch(this.#deps, async (epoch) => {
      const memberships = await this.#listMemberships();
      const added = await this.#findAdded(memberships);
      const chatIds = [...added.keys()].map(({ chatId }) => chatId);
      const cursors = chatIds.flatMap((chatId) => {
        const cursor = this.#resumeAfter?.get(chatId);
        return cursor ? [[chatId, cursor] as const] : [];
      });
      const starts = await findStarts(this.#deps.epochs, epoch, new Map(cursors));
      return { chatIds, memberships, added, starts };
    });
    const own = new Set(memberships.map(({ chatId }) => chatId));
    for (const subscription of [...this.#subscriptions.values()]) {
      if (own.has(subscription.chatId)) continue;
      this.#remove(subscription);
      this.#rememberPosition(subscription.chatId, subscription.cursor);
      this.#tellRemoved(subscription.chatId, 'UNKNOWN');
    }
    for (const chatId of this.#unwanted ?? []) if (!own.has(chatId)) this.#unwanted?.delete(chatId);
    for (const [membership, chat] of added) {
      const { chatId } = membership;
      const handle = handles.get(chatId);
      if (!handle) continue;
      if (!this.#deps.outbound.hasRoom) {
        handle.release();
        this.#refreshWhenRoom();
        continue;
      }
      this.#tell({ kind: 'chat_added', chat });
      this.#start('', membership, handle, startAgain(membership, starts.get(chatId)));
    }
  }

  /** Returns those memberships, with their chats, that need a subscription. None without room: they are left to a refresh once the reader has made some. */
  async #findAdded(memberships: readonly MembershipSnapshot[]): Promise<Map<MembershipSnapshot, Chat>> {
    const added = new Map<MembershipSnapshot, Chat>();
    const fresh = memberships.filter(({ chatId }) => !this.#subscriptions.has(chatId) && !this.#unwanted?.has(chatId));
    if (fresh.length > 0 && !this.#deps.outbound.hasRoom) {
      this.#refreshWhenRoom();
      return added;
    }
    for (const membership of fresh) {
      const chat = await this.#findChat(membership.chatId);
      if (chat) added.set(membership, chat);
    }
    return added;
  }

  #rememberPosition(chatId: string, cursor: Cursor): void {
    this.#resumeAfter ??= new Map();
    this.#resumeAfter.delete(chatId);
    this.#resumeAfter.set(chatId, cursor);
    if (this.#resumeAfter.size > this.#options.maxSubscriptions)
      this.#resumeAfter.delete(first(this.#resumeAfter.keys())!);
  }

  /** Does not wait itself: other changes, such as the end of a membership, must not wait for a slow reader. */
  #refreshWhenRoom(): void {
    if (this.#waitingForRoom) return;
    this.#waitingForRoom = true;
    void this.#deps.outbound.whenRoom().then(() => {
      this.#waitingForRoom = false;
      this.#refreshLater();
    });
  }

  /** Returns the chat as its member sees it; undefined if the user is not a member any more. */
  async #findChat(chatId: string): Promise<Chat | undefined> {
    try {
      const chat = await this.#deps.chats.get(chatId, this.#deps.userId);
      return chat.own && chat;
    } catch (error) {
      if (error instanceof ChatError && error.reason === 'CHAT_NOT_FOUND') return undefined;
      throw error;
    }
  }

  async #listMemberships(): Promise<MembershipSnapshot[]> {
    const { maxSubscriptions } = this.#options;
    const memberships = await this.#deps.memberships.listOfUser(this.#deps.userId, maxSubscriptions + 1);
    this.#checkCount(memberships.length);
    return memberships;
  }

  #checkCount(count: number): void {
    const { maxSubscriptions } = this.#options;
    if (count <= maxSubscriptions) return;
    throw new ChatError('SUBSCRIPTION_LIMIT', `a stream may be subscribed to at most ${maxSubscriptions} chats`);
  }

  #tellRemoved(chatId: string, reason: RemovalReason): void {
    this.#tell({ kind: 'chat_removed', chatId, reason });
  }

  #tell(event: Event): void {
    this.#deps.outbound.push(this.#deps.encoder.encode(event));
  }
}

/**
 * Where delivery to a new member starts: with the chat's entry that made the user a member or, for a reader that had read the chat before,
 * after what it was given then. Members may read the whole history, so the reader is given what it missed.
 */
function startAgain(membership: MembershipSnapshot, before: Start | undefined): Start {
  const joined = startOf(membership, 'JOINED');
  // A cursor from before the membership cannot be greater than its start; a client's may be wrong.
  return { ...before, afterSeq: Math.min(joined, before?.afterSeq ?? joined) };
}

function first<T>(values: Iterable<T>): T | undefined {
  for (const value of values) return value;
  return undefined;
}
