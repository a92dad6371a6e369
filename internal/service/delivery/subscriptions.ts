import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '../../../pkg/backoff/backoff.ts';
import { equalJitter } from '../../../pkg/backoff/jitter.ts';
import type { Chat } from '../../model/chat.ts';
import type { StartFrom } from '../../model/command.ts';
import { ChatError, invalidFieldsError } from '../../model/errors.ts';
import type { Event, RemovalReason } from '../../model/event.ts';
import type { ChatRepository } from '../../repository/chat-repository.ts';
import type { MembershipRepository, MembershipSnapshot } from '../../repository/membership-repository.ts';
import type { MessageRepository } from '../../repository/message-repository.ts';
import type { EventEncoder } from './event-encoder.ts';
import type { Hub, TopicHandle } from './hub.ts';
import type { OutboundBuffer } from './outbound-buffer.ts';
import { Subscription, type SubscriptionOwner } from './subscription.ts';

interface Deps {
  hub: Hub;
  chats: ChatRepository;
  memberships: MembershipRepository;
  messages: MessageRepository;
  outbound: OutboundBuffer;
  encoder: EventEncoder;
  userId: string;
  /** Told of failures to read from the database, which are tried again. */
  onRetry: (error: unknown) => void;
}

interface Options {
  maxSubscriptions: number;
  /** Messages of a page from the database. */
  pageSize: number;
}

/** Between two attempts to read from the database. */
const pausesAfterFailures = { firstMs: 150, maxMs: 3_000, jitter: 'equal' } as const;

/**
 * The chats that one session reads: those that it subscribed to and, after `subscribeAll`, every chat that the user is or
 * becomes a member of. Those that are behind are caught up with one page after the other, whenever the reader has room.
 */
export class Subscriptions implements SubscriptionOwner {
  readonly #deps: Deps;
  readonly #options: Options;
  readonly #subscriptions = new Map<string, Subscription>();
  #behind: Set<Subscription> | undefined;
  #catchingUp = false;
  #closed = false;
  #stopWatching: (() => void) | undefined;
  /** Unsubscribed from: not to be brought back because some other membership changes. */
  #unwanted: Set<string> | undefined;
  /** Changes to the list happen one after the other. */
  #lastChange: Promise<unknown> = Promise.resolve();
  #refreshing = false;
  #waitingForRoom = false;

  constructor(deps: Deps, options: Options) {
    this.#deps = deps;
    this.#options = options;
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

  /** Starts delivery after the given number, or from now. `membership` tells that the user is a member. */
  subscribe(commandId: string, membership: MembershipSnapshot, afterSeq: number | undefined): Promise<void> {
    return this.#change(async () => {
      const { chatId, lastSeq } = membership;
      if (afterSeq !== undefined && afterSeq > lastSeq) {
        throw cursorsInFuture([{ field: 'subscribe.after_seq', lastSeq }]);
      }
      this.#checkCount(this.#subscriptions.size + (this.#subscriptions.has(chatId) ? 0 : 1));
      const handle = (await this.#deps.hub.acquire([chatId])).get(chatId);
      if (!handle) throw new ChatError('CHAT_NOT_FOUND', 'there is no such chat');
      this.#unwanted?.delete(chatId);
      this.#start(commandId, membership, handle, afterSeq ?? lastSeq);
    });
  }

  /** Starts delivery of all the user's chats: after its cursor, or for those without one from `others`. */
  subscribeAll(commandId: string, cursors: ReadonlyMap<string, number>, others: StartFrom): Promise<void> {
    return this.#change(async () => {
      // Watching comes first: whoever is added while the list is being read is noticed by one of the two.
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
      // Whatever was begun while the session was being closed ends with it.
      if (this.#closed) this.close();
      return changed;
    });
    this.#lastChange = result.catch(() => {});
    return result;
  }

  async #startAll(commandId: string, cursors: ReadonlyMap<string, number>, others: StartFrom): Promise<void> {
    const memberships = await this.#listMemberships();
    const ahead = memberships.filter(({ chatId, lastSeq }) => (cursors.get(chatId) ?? 0) > lastSeq);
    if (ahead.length > 0) {
      const field = (chatId: string) => `subscribe_all.cursors[${JSON.stringify(chatId)}]`;
      throw cursorsInFuture(ahead.map(({ chatId, lastSeq }) => ({ field: field(chatId), lastSeq })));
    }
    const own = new Set(memberships.map(({ chatId }) => chatId));
    const leases = await this.#deps.hub.acquire([...own]);
    this.#unwanted = undefined;
    for (const chatId of cursors.keys()) if (!own.has(chatId)) this.#tellRemoved(chatId, 'UNKNOWN');
    for (const membership of memberships) {
      const handle = leases.get(membership.chatId);
      if (handle)
        this.#start(commandId, membership, handle, cursors.get(membership.chatId) ?? startOf(membership, others));
    }
  }

  #start(commandId: string, membership: MembershipSnapshot, handle: TopicHandle, afterSeq: number): void {
    if (this.#closed) return handle.release();
    const { chatId, lastSeq } = membership;
    const replaced = this.#subscriptions.get(chatId);
    if (replaced) this.#remove(replaced);
    const subscription = new Subscription(this, { chatId, handle, afterSeq, verifiedSeq: lastSeq });
    this.#subscriptions.set(chatId, subscription);
    this.#tell({ kind: 'subscribed', commandId, chatId, headSeq: lastSeq, afterSeq });
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
    this.#tellRemoved(subscription.chatId, reason);
    // The user may have come back before the end of the membership was seen here.
    if (reason !== 'DELETED') this.#refreshLater();
  }

  /** One page for each that is behind, in turn; never more of them in memory than the outbound holds. Never throws. */
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

  #refreshLater(): void {
    if (this.#refreshing || this.#closed) return;
    this.#refreshing = true;
    this.#change(() => {
      // From here on another change of the memberships needs another look.
      this.#refreshing = false;
      return this.#refresh();
    }).catch((error) => {
      this.#deps.onRetry(error);
      // Until the memberships change there is nothing else to be seen.
      if (error instanceof ChatError && error.reason === 'SUBSCRIPTION_LIMIT') return;
      if (!this.#closed) setTimeout(() => this.#refreshLater(), equalJitter(1_000)).unref();
    });
  }

  /** Makes the list that of the user's memberships, after `subscribeAll`. */
  async #refresh(): Promise<void> {
    if (!this.#stopWatching || this.#closed) return;
    const memberships = await this.#listMemberships();
    const own = new Set(memberships.map(({ chatId }) => chatId));
    for (const subscription of [...this.#subscriptions.values()]) {
      if (own.has(subscription.chatId)) continue;
      this.#remove(subscription);
      this.#deps.outbound.drop(subscription.chatId);
      this.#tellRemoved(subscription.chatId, 'UNKNOWN');
    }
    for (const chatId of this.#unwanted ?? []) if (!own.has(chatId)) this.#unwanted?.delete(chatId);
    await this.#addNew(
      memberships.filter(({ chatId }) => !this.#subscriptions.has(chatId) && !this.#unwanted?.has(chatId)),
    );
  }

  /** As many as there is room for; the others when the reader has taken what waits for it, if the user is in them still. */
  async #addNew(memberships: readonly MembershipSnapshot[]): Promise<void> {
    const { outbound, hub } = this.#deps;
    if (memberships.length > 0 && !outbound.hasRoom) return this.#refreshWhenRoom();
    const added = new Map<MembershipSnapshot, Chat>();
    for (const membership of memberships) {
      const chat = await this.#findChat(membership.chatId);
      if (chat) added.set(membership, chat);
    }
    const leases = await hub.acquire([...added.keys()].map(({ chatId }) => chatId));
    for (const [membership, chat] of added) {
      const handle = leases.get(membership.chatId);
      if (!handle) continue;
      if (!outbound.hasRoom) {
        handle.release();
        this.#refreshWhenRoom();
        continue;
      }
      this.#tell({ kind: 'chat_added', chat });
      this.#start('', membership, handle, startOf(membership, 'JOINED'));
    }
  }

  /** Nothing else waits for it: the end of a membership least of all. */
  #refreshWhenRoom(): void {
    if (this.#waitingForRoom) return;
    this.#waitingForRoom = true;
    void this.#deps.outbound.whenRoom().then(() => {
      this.#waitingForRoom = false;
      this.#refreshLater();
    });
  }

  async #findChat(chatId: string): Promise<Chat | undefined> {
    try {
      return await this.#deps.chats.get(chatId, this.#deps.userId);
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

function startOf({ lastSeq, joinedSeq }: MembershipSnapshot, from: StartFrom): number {
  switch (from) {
    case 'NOW':
      return lastSeq;
    case 'JOINED':
      return joinedSeq - 1;
    case 'BEGINNING':
      return 0;
    default:
      return from satisfies never;
  }
}

function cursorsInFuture(cursors: { field: string; lastSeq: number }[]): ChatError {
  const violations = cursors.map(({ field, lastSeq }) => ({
    field,
    description: `must be at most ${lastSeq}, the chat's last number`,
  }));
  return new ChatError('CURSOR_IN_FUTURE', invalidFieldsError(...violations).message, { violations });
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  for (const value of set) return value;
  return undefined;
}
