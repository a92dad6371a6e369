import type { EphemeralEvent } from '../../model/ephemeral-event.ts';
import type { RemovalReason } from '../../model/event.ts';
import type { Message } from '../../model/message.ts';
import { endedMembership } from '../../model/system-event.ts';
import type { MessageRepository } from '../../repository/message-repository.ts';
import type { EventEncoder } from './event-encoder.ts';
import type { TopicHandle } from './hub.ts';
import type { OutboundBuffer } from './outbound-buffer.ts';
import type { TopicReader } from './topic.ts';

/** The session's side of its subscriptions: one object for all of them. */
export interface SubscriptionOwner {
  readonly userId: string;
  readonly outbound: OutboundBuffer;
  readonly encoder: EventEncoder;
  readonly messages: MessageRepository;
  /** Messages of a page from the database. */
  readonly pageSize: number;
  /** The subscription is behind: call `catchUp` until it returns true. */
  onBehind(subscription: Subscription): void;
  /** Nothing more will come: the user is no member any more, or the chat is gone. */
  onEnded(subscription: Subscription, reason: RemovalReason): void;
}

/**
 * One session's reading of one chat. It is either live, given messages by the topic, or catching up, reading pages from the
 * database at the reader's own pace; a slow reader goes from the first to the second, and from there back.
 *
 * Membership is known to have held at `verifiedSeq`. All that comes after is looked at in order, and so an end of the
 * membership cannot be missed.
 */
export class Subscription implements TopicReader {
  readonly chatId: string;
  readonly #owner: SubscriptionOwner;
  readonly #handle: TopicHandle;
  #position: number;
  #verifiedSeq: number;
  #state: 'catching_up' | 'live' | 'ended' = 'catching_up';
  /** Where the chat was when the subscription began: the reader has not caught up before it is there. */
  readonly #goal: number;
  #toldCaughtUp = false;

  constructor(
    owner: SubscriptionOwner,
    {
      chatId,
      handle,
      afterSeq,
      verifiedSeq,
    }: { chatId: string; handle: TopicHandle; afterSeq: number; verifiedSeq: number },
  ) {
    this.#owner = owner;
    this.#handle = handle;
    this.chatId = chatId;
    this.#position = afterSeq;
    this.#verifiedSeq = verifiedSeq;
    this.#goal = verifiedSeq;
  }

  get userId(): string {
    return this.#owner.userId;
  }

  /** Begins delivery. Call once. */
  start(): void {
    const { topic } = this.#handle;
    topic.add(this);
    // The topic may not have heard of it, as while the bus is away.
    topic.receive({ kind: 'head', seq: this.#goal });
    if (topic.deleted) this.onDeleted();
    else if (!this.#tryGoLive()) this.#owner.onBehind(this);
  }

  /** Ends delivery without a word. Twice is harmless. */
  stop(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#handle.topic.remove(this);
    this.#handle.release();
  }

  /** Reads one page into the outbound. True if there is nothing more to catch up with. Throws as the repository does. */
  async catchUp(): Promise<boolean> {
    if (this.#state !== 'catching_up' || this.#tryGoLive()) return true;
    const { messages, pageSize } = this.#owner;
    const page = await messages.findChangesAsMember(this.chatId, this.userId, this.#position, pageSize);
    if ((this.#state as string) === 'ended') return true;
    if (!page) {
      this.#end('UNKNOWN');
      return true;
    }
    this.#verifiedSeq = Math.max(this.#verifiedSeq, page.lastSeq);
    this.#push(page.messages);
    if (!page.hasMore) this.#position = Math.max(this.#position, page.lastSeq);
    return this.#tryGoLive();
  }

  onMessages(messages: readonly Message[]): void {
    const news =
      this.#position < messages[0]!.updateSeq ? messages : messages.filter((m) => m.updateSeq > this.#position);
    if (news.length === 0) return;
    for (const message of news) {
      if (message.system && this.#endsMembership(message)) return this.onMembershipEnded(message);
    }
    if (!this.#owner.outbound.hasRoom) return this.#fallBehind();
    this.#push(news);
    if (this.#state === 'live') this.#tellCaughtUp();
  }

  onEphemeralEvent(event: EphemeralEvent): void {
    const { outbound, encoder } = this.#owner;
    // Nobody needs to be told what they do themselves, except that another device of theirs has read.
    if (event.kind !== 'read' && event.user.id === this.userId) return;
    if (outbound.hasRoom) outbound.push(encoder.encode(event), this.chatId);
  }

  onMembershipEnded(message: Message): void {
    if (this.#state !== 'ended' && this.#endsMembership(message)) {
      this.#end(endedMembership(message)?.reason ?? 'UNKNOWN');
    }
  }

  onDeleted(): void {
    if (this.#state !== 'ended') this.#end('DELETED');
  }

  /** An end that came before the membership was last seen to hold was followed by a new beginning. */
  #endsMembership(message: Message): boolean {
    return message.updateSeq > this.#verifiedSeq && endedMembership(message)?.userId === this.userId;
  }

  /** Goes live if the topic still has in memory what the reader lacks; without a wait, so that nothing falls between. */
  #tryGoLive(): boolean {
    const { topic } = this.#handle;
    const missed = this.#owner.outbound.hasRoom ? topic.since(this.#position) : undefined;
    if (!missed) return false;
    this.#state = 'live';
    topic.goLive(this);
    if (missed.length > 0) this.onMessages(missed);
    if ((this.#state as string) === 'live') this.#tellCaughtUp();
    return true;
  }

  #tellCaughtUp(): void {
    if (this.#toldCaughtUp || this.#position < this.#goal) return;
    this.#toldCaughtUp = true;
    const { outbound, encoder } = this.#owner;
    // It goes where the messages before it go: whoever is not given them has not caught up either.
    outbound.push(encoder.encode({ kind: 'caught_up', chatId: this.chatId, seq: this.#position }), this.chatId);
  }

  #fallBehind(): void {
    this.#state = 'catching_up';
    this.#handle.topic.leaveLive(this);
    this.#owner.onBehind(this);
  }

  #push(messages: readonly Message[]): void {
    const last = messages.at(-1);
    if (!last) return;
    for (const piece of this.#owner.encoder.encodeMessages(messages)) this.#owner.outbound.push(piece, this.chatId);
    this.#position = last.updateSeq;
  }

  /** What the reader has not taken yet is not for them any more. */
  #end(reason: RemovalReason): void {
    this.stop();
    this.#owner.outbound.drop(this.chatId);
    this.#owner.onEnded(this, reason);
  }
}
