import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { decodePublication, encodePublication, type Publication } from '../../converter/publication.ts';
import { RareWarning } from '../tracing/rare-warning.ts';
import type { Bus, BusState, ChatPublication, Unsubscribe } from './bus.ts';
import { Interest } from './interest.ts';
import { KeptLink, type KeptLinkOptions } from './kept-link.ts';
import type { Link, OpenLink, Parcel } from './link.ts';
import { MissedHeads } from './missed-heads.ts';
import { SendQueue, type SendQueueOptions } from './send-queue.ts';
import { chatTopic, userTopic } from './topic.ts';

export interface BrokerBusOptions extends KeptLinkOptions, SendQueueOptions {
  /** How long a topic that nobody wants any more stays subscribed to, in milliseconds. */
  lingerMs: number;
  /** How long a subscriber waits for the broker's answer, in milliseconds. */
  subscribeTimeoutMs: number;
}

interface Deps {
  open: OpenLink;
  log: Logger;
}

const defaults: BrokerBusOptions = {
  pingIntervalMs: 3_000,
  pingTimeoutMs: 3_000,
  openTimeoutMs: 5_000,
  maxRetryMs: 2_000,
  maxBytes: 33_554_432,
  maxInFlight: 8,
  maxBatchBytes: 1_048_576,
  lingerMs: 5_000,
  subscribeTimeoutMs: 1_000,
};

/** With the number that the chat has come to by it. */
interface Outgoing extends Parcel {
  head: number | undefined;
}

/** Topics of one command to the broker. */
const topicsAtOnce = 1_000;

/**
 * The bus of several nodes. Subscribers on the publishing node are called before `publish…` returns, whatever becomes of the
 * broker; the others are reached over the broker. While it is away nothing waits for it: of what was published meanwhile only
 * each chat's last number is kept, and told afterwards.
 */
export class BrokerBus implements Bus {
  readonly #log: Logger;
  readonly #options: BrokerBusOptions;
  readonly #origin = randomBytes(12);
  readonly #interest: Interest<Publication>;
  readonly #queue: SendQueue<Outgoing>;
  readonly #kept: KeptLink;
  readonly #missed = new MissedHeads(10_000);
  readonly #lossListeners: (() => void)[] = [];
  readonly #stateListeners: ((state: BusState) => void)[] = [];
  readonly #damaged: RareWarning;
  readonly #refused: RareWarning;
  readonly #dropped: RareWarning;
  /** Subscriptions under way, by topic. */
  readonly #joins = new Map<string, Promise<void>>();
  /** Those of this turn of the event loop. */
  #joining: { topics: string[]; done: Promise<void> } | undefined;
  #closed: Promise<void> | undefined;

  private constructor({ open, log }: Deps, options: BrokerBusOptions) {
    this.#log = log;
    this.#options = options;
    this.#damaged = new RareWarning(log, 'what came by the bus could not be read');
    this.#refused = new RareWarning(log, 'the bus refused something');
    this.#dropped = new RareWarning(log, 'the bus is slow: other nodes read what was published from the database');
    this.#interest = new Interest(options.lingerMs, (topic) => this.#leave(topic));
    this.#queue = new SendQueue((batch) => this.#send(batch), options);
    const events = {
      onParcel: (topic: string, bytes: Uint8Array) => this.#receive(topic, bytes),
      onRefusal: (error: unknown) => this.#refused.add(error),
    };
    this.#kept = new KeptLink(
      {
        open: () => open(events),
        prepare: (link) => this.#subscribeTo(link, this.#interest.topics),
        onStateChange: (state, reason) => this.#changeState(state, reason),
      },
      options,
    );
  }

  /** Resolves when it is connected, or has found that the broker is away. */
  static async start(deps: Deps, options: Partial<BrokerBusOptions> = {}): Promise<BrokerBus> {
    const bus = new BrokerBus(deps, { ...defaults, ...options });
    await bus.#kept.start();
    return bus;
  }

  get state(): BusState {
    return this.#kept.state;
  }

  publishToChat(chatId: string, publication: ChatPublication): void {
    const topic = chatTopic(chatId);
    this.#interest.call(topic, publication);
    this.#publish(topic, publication);
  }

  publishMembershipChange(userIds: readonly string[]): void {
    for (const userId of userIds) {
      const topic = userTopic(userId);
      this.#interest.call(topic, { kind: 'membership_changed' });
      this.#publish(topic, { kind: 'membership_changed' });
    }
  }

  subscribeToChat(chatId: string, handler: (publication: ChatPublication) => void): Promise<Unsubscribe> {
    return this.#subscribe(chatTopic(chatId), (publication) => {
      if (publication.kind !== 'membership_changed') handler(publication);
    });
  }

  subscribeToMemberships(userId: string, handler: () => void): Promise<Unsubscribe> {
    return this.#subscribe(userTopic(userId), () => handler());
  }

  onLoss(listener: () => void): void {
    this.#lossListeners.push(listener);
  }

  onStateChange(listener: (state: BusState) => void): void {
    this.#stateListeners.push(listener);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    if (this.state === 'connected') {
      const link = this.#kept.link;
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, 1_000).unref());
      await Promise.race([this.#queue.sent(), link?.broken, timeout]);
    }
    await this.#kept.close();
    this.#interest.close();
  }

  #publish(topic: string, publication: Publication): void {
    if (this.#closed) return;
    const { link } = this.#kept;
    // Before the connection is prepared the other nodes would be told of chats that they will compare anyway.
    const head = headOf(publication);
    if (!link || this.state === 'away') return this.#missed.add(topic, head);
    for (const bytes of this.#encode(publication, link.maxBytes - topic.length)) {
      if (this.#queue.push({ topic, bytes, head })) continue;
      this.#dropped.add(undefined);
      return this.#missed.add(topic, head);
    }
  }

  /** In pieces that the broker takes; a message that is too long by itself becomes a hint. */
  #encode(publication: Publication, maxBytes: number): Uint8Array[] {
    const bytes = encodePublication(this.#origin, publication);
    if (bytes.length <= maxBytes) return [bytes];
    if (publication.kind !== 'messages') {
      this.#refused.add(new Error(`a publication of ${bytes.length} bytes is too long`));
      return [];
    }
    const { messages } = publication;
    if (messages.length === 1) return this.#encode({ kind: 'head', seq: messages[0]!.updateSeq }, maxBytes);
    const half = Math.ceil(messages.length / 2);
    return [messages.slice(0, half), messages.slice(half)].flatMap((part) =>
      this.#encode({ kind: 'messages', messages: part }, maxBytes),
    );
  }

  async #send(batch: readonly Outgoing[]): Promise<void> {
    const { link } = this.#kept;
    const broken = link?.broken.then(() => false);
    try {
      if (await Promise.race([link?.send(batch).then(() => true), broken])) return this.#tellMissed();
    } catch (error) {
      const lives = await Promise.race([
        link?.ping().then(
          () => true,
          () => false,
        ),
        broken,
      ]);
      // To try again what was refused would be refused again.
      if (lives) return this.#refused.add(error);
    }
    for (const { topic, head } of batch) this.#missed.add(topic, head);
  }

  #tellMissed(): void {
    if (this.state === 'away') return;
    for (const { topic, seq } of this.#missed.take(100)) this.#publish(topic, { kind: 'head', seq });
  }

  #receive(topic: string, bytes: Uint8Array): void {
    try {
      const publication = decodePublication(this.#origin, bytes);
      if (publication) this.#interest.call(topic, publication);
    } catch (error) {
      this.#damaged.add(error);
    }
  }

  async #subscribe(topic: string, handler: (publication: Publication) => void): Promise<Unsubscribe> {
    const unsubscribe = async () => this.#interest.remove(topic, handler);
    if (this.#interest.add(topic, handler)) {
      this.#joining ??= { topics: [], done: Promise.resolve().then(() => this.#join()) };
      this.#joining.topics.push(topic);
      this.#joins.set(topic, this.#joining.done);
    }
    await this.#joins.get(topic);
    return unsubscribe;
  }

  async #join(): Promise<void> {
    const { topics } = this.#joining!;
    this.#joining = undefined;
    const { link } = this.#kept;
    if (link) await this.#waitFor(link, topics);
    for (const topic of topics) this.#joins.delete(topic);
  }

  /** Only so long: a subscription that is late is told of as a loss. */
  async #waitFor(link: Link, topics: readonly string[]): Promise<void> {
    let late = false;
    const joined = this.#subscribeTo(link, topics).then(
      () => late && this.#tellLoss(),
      (error) => this.#kept.replace(link, error),
    );
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        late = true;
        resolve();
      }, this.#options.subscribeTimeoutMs);
    });
    await Promise.race([joined, link.broken, timeout]);
    clearTimeout(timer);
  }

  async #subscribeTo(link: Link, topics: readonly string[]): Promise<void> {
    const parts: Promise<void>[] = [];
    for (let i = 0; i < topics.length; i += topicsAtOnce) parts.push(link.subscribe(topics.slice(i, i + topicsAtOnce)));
    await Promise.all(parts);
  }

  #leave(topic: string): void {
    const { link } = this.#kept;
    link?.unsubscribe([topic]).catch((error) => this.#kept.replace(link, error));
  }

  #changeState(state: BusState, reason: unknown): void {
    if (state === 'away') {
      this.#log.warn({ err: reason }, 'the bus is away: other nodes learn of what is new from the database');
    } else {
      this.#log.info('the bus is connected');
      this.#tellMissed();
      this.#tellLoss();
    }
    for (const listener of this.#stateListeners) listener(state);
  }

  #tellLoss(): void {
    for (const listener of this.#lossListeners) listener();
  }
}

function headOf(publication: Publication): number | undefined {
  if (publication.kind === 'head') return publication.seq;
  return publication.kind === 'messages' ? publication.messages.at(-1)?.updateSeq : undefined;
}
