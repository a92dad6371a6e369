import { Batch } from '../../model/batch.ts';
import type { Cursor } from '../../model/command.ts';
import { type MembershipEnd, seqOf } from '../../model/entry.ts';
import type { EphemeralEvent } from '../../model/ephemeral-event.ts';
import type { RemovalReason } from '../../model/event.ts';
import type { EventEncoder } from '../../model/event-encoder.ts';
import type { MessageRepository } from '../../repository/message-repository.ts';
import type { TopicHandle } from './hub.ts';
import type { OutboundBuffer } from './outbound-buffer.ts';
import type { SharedEvent } from './shared-event.ts';
import type { TopicReader } from './topic.ts';

/** What the subscriptions of a session have in common. */
export interface SubscriptionOwner {
  readonly userId: string;
  readonly outbound: OutboundBuffer;
  readonly encoder: EventEncoder;
  readonly messages: MessageRepository;
  /** Entries of a page from the database. */
  readonly pageSize: number;
  /** The subscription is catching up: call its `catchUp` until that returns true. */
  onBehind(subscription: Subscription): void;
  /** The subscription has ended, since the user is no longer a member or the chat was deleted. */
  onEnded(subscription: Subscription, reason: RemovalReason): void;
}

/**
 * One session's reading of one chat. A subscription is either live and given batches by the topic, or catching up and reading pages from the
 * database at the reader's own pace. A live reader that is too slow goes back to catching up.
 *
 * The user was a member at `verifiedSeq`. The subscription looks at every later entry in order, and the end of a membership is an entry: it
 * delivers what comes before the end, and nothing from after it. What it has put into the outbound buffer stays there, so a reader that is
 * added again goes on from `cursor` and misses nothing.
 */
export class Subscription implements TopicReader {
  readonly chatId: string;
  readonly #owner: SubscriptionOwner;
  readonly #handle: TopicHandle;
  #position: number;
  #verifiedSeq: number;
  #state: 'catching_up' | 'live' | 'ended' = 'catching_up';
  /** The chat's head when the subscription began. A reader that has reached it has caught up. */
  #goal: number;
  #toldCaughtUp = false;
  #epoch: string;
  /** The database has gone back, perhaps to before the user was a member: only a page that was read as a member lets the reader go live. */
  #mustVerify = false;

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
    this.#epoch = handle.topic.epoch;
    this.#position = afterSeq;
    this.#verifiedSeq = verifiedSeq;
    this.#goal = verifiedSeq;
  }

  get userId(): string {
    return this.#owner.userId;
  }

  /** The number up to which everything was put into the outbound buffer. */
  get cursor(): Cursor {
    return { seq: this.#position, epoch: this.#epoch };
  }

  /** Begins delivery. Call once. */
  start(): void {
    const { topic } = this.#handle;
    topic.add(this);
    // The topic may not know this number yet, for example while the bus is away.
    topic.receive({ kind: 'head', seq: this.#goal });
    if (topic.deleted) this.onDeleted();
    else if (!this.#tryGoLive()) this.#owner.onBehind(this);
  }

  /** Ends delivery; the reader is sent no event about it. Twice is harmless. */
  stop(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#handle.topic.remove(this);
    this.#handle.release();
  }

  /** Reads one page into the outbound buffer. True if the subscription is live or has ended. Throws what the repository throws. */
  async catchUp(): Promise<boolean> {
    if (this.#state !== 'catching_up' || this.#tryGoLive()) return true;
    const { messages, pageSize } = this.#owner;
    const epoch = this.#epoch;
    const page = await messages.findChangesAsMember(this.chatId, this.userId, this.#position, pageSize);
    if ((this.#state as string) === 'ended') return true;
    // A page of the epoch before: it is read again.
    if (this.#epoch !== epoch) return false;
    if (!page) {
      this.#end('UNKNOWN');
      return true;
    }
    this.#verifiedSeq = Math.max(this.#verifiedSeq, page.lastSeq);
    this.#mustVerify = false;
    this.#push(page.batch);
    return this.#tryGoLive();
  }

  onBatch(batch: Batch): void {
    const rest = batch.after(this.#position);
    if (!rest) return;
    const end = rest.membershipEnds.find((each) => this.#endsMembership(each));
    const { hasRoom } = this.#owner.outbound;
    if (end) {
      if (hasRoom) this.#push(new Batch(rest.entries.filter((entry) => seqOf(entry) < end.seq)));
      return this.onMembershipEnded(end);
    }
    if (!hasRoom) return this.#fallBehind();
    this.#push(rest);
    if (this.#state === 'live') this.#tellCaughtUp();
  }

  onEphemeralEvent(shared: SharedEvent<EphemeralEvent>): void {
    const { outbound, encoder } = this.#owner;
    const { event } = shared;
    // Typing and presence are not sent back to their user; marks and a wish to stop are, for the user's other devices.
    const isOfUser = event.kind === 'typing' || event.kind === 'presence';
    if (isOfUser && event.user.id === this.userId) return;
    if (outbound.hasRoom) outbound.push(shared.frame(encoder), this.chatId);
  }

  onMembershipEnded(end: MembershipEnd): void {
    if (this.#state !== 'ended' && this.#endsMembership(end)) this.#end(end.reason);
  }

  onDeleted(): void {
    if (this.#state === 'ended') return;
    this.#owner.outbound.drop(this.chatId);
    this.#end('DELETED');
  }

  onEpoch(epoch: string, validSeq: number, lost: boolean): void {
    if (this.#state === 'ended') return;
    this.#epoch = epoch;
    this.#position = Math.min(this.#position, validSeq);
    const { outbound, encoder } = this.#owner;
    outbound.push(encoder.encode({ kind: 'reset', chatId: this.chatId, epoch, fromSeq: this.#position }), this.chatId);
    if (!lost) return;
    this.#verifiedSeq = Math.min(this.#verifiedSeq, validSeq);
    this.#goal = Math.min(this.#goal, validSeq);
    this.#mustVerify = true;
    if (this.#state === 'live') this.#fallBehind();
  }

  /** An end at or before `verifiedSeq` is over: the user has become a member again since. */
  #endsMembership({ userId, seq }: MembershipEnd): boolean {
    return userId === this.userId && seq > this.#verifiedSeq;
  }

  /** Goes live if the topic still has in memory what the reader lacks. There is no await in it, so no entry can be missed between. */
  #tryGoLive(): boolean {
    const { topic } = this.#handle;
    // A page may have shown newer states of messages than a topic has that lacks the last changes.
    const isBehindPages = Math.max(topic.head, this.#position) < this.#verifiedSeq;
    const mayGoLive = this.#owner.outbound.hasRoom && !this.#mustVerify && !isBehindPages;
    const missed = mayGoLive ? topic.since(this.#position) : undefined;
    if (!missed) return false;
    this.#state = 'live';
    topic.goLive(this);
    this.onBatch(missed);
    if ((this.#state as string) === 'live') this.#tellCaughtUp();
    return true;
  }

  #tellCaughtUp(): void {
    if (this.#toldCaughtUp || this.#position < this.#goal) return;
    this.#toldCaughtUp = true;
    const { outbound, encoder } = this.#owner;
    // It names the chat, so that it is dropped together with the messages before it.
    outbound.push(encoder.encode({ kind: 'caught_up', chatId: this.chatId, seq: this.#position }), this.chatId);
  }

  #fallBehind(): void {
    this.#state = 'catching_up';
    this.#handle.topic.leaveLive(this);
    this.#owner.onBehind(this);
  }

  #push(batch: Batch): void {
    if (batch.isEmpty) return;
    const { outbound, encoder } = this.#owner;
    for (const frame of batch.frames(encoder)) outbound.push(frame, this.chatId);
    this.#position = batch.lastSeq;
    this.#handle.topic.delivered(batch.entries.length);
  }

  #end(reason: RemovalReason): void {
    this.stop();
    this.#owner.onEnded(this, reason);
  }
}
