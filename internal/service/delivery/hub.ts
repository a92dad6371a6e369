import type { Logger } from 'pino';
import type { Bus, ChatPublication, Unsubscribe } from '../../client/bus/bus.ts';
import type { Metrics } from '../../client/metrics/metrics.ts';
import { activeSpans } from '../../client/tracing/active-spans.ts';
import type { EpochRepository } from '../../repository/epoch-repository.ts';
import type { MembershipRepository } from '../../repository/membership-repository.ts';
import type { MessageRepository } from '../../repository/message-repository.ts';
import { type DeliveryCounters, deliveryCounters } from './delivery-counters.ts';
import { Topic, type TopicOptions } from './topic.ts';

export interface HubOptions extends TopicOptions {
  /** Milliseconds between two comparisons of the topics' heads with the database. */
  repairIntervalMs: number;
  /** Milliseconds for which the hub keeps a topic after its last reader has released it. */
  lingerMs: number;
}

interface Deps {
  bus: Bus;
  messages: MessageRepository;
  memberships: MembershipRepository;
  epochs: EpochRepository;
  log: Logger;
  metrics?: Metrics;
}

interface TopicEntry {
  chatId: string;
  topic: Promise<Topic>;
  /** Publications that arrived before the topic was ready. */
  early: ChatPublication[];
  /** Handles that are not released yet. */
  references: number;
  unsubscribe?: Unsubscribe;
  linger?: NodeJS.Timeout;
}

interface MembershipWatch {
  version: Promise<number>;
  listeners: Set<() => void>;
  unsubscribe: Promise<Unsubscribe>;
}

/** One reader's reference to a topic, which the hub keeps until all handles are released. */
export class TopicHandle {
  readonly topic: Topic;
  readonly #entry: TopicEntry;
  #onRelease: ((entry: TopicEntry) => void) | undefined;

  constructor(topic: Topic, entry: TopicEntry, onRelease: (entry: TopicEntry) => void) {
    this.topic = topic;
    this.#entry = entry;
    this.#onRelease = onRelease;
  }

  /** Twice is harmless. */
  release(): void {
    this.#onRelease?.(this.#entry);
    this.#onRelease = undefined;
  }
}

/** The topics of the chats that have readers on this node. The hub subscribes to a chat on the bus only while it has a topic for it. */
export class Hub {
  readonly #counters: DeliveryCounters;
  readonly #deps: Deps;
  readonly #options: HubOptions;
  readonly #entries = new Map<string, TopicEntry>();
  readonly #ready = new Map<string, Topic>();
  readonly #users = new Map<string, MembershipWatch>();
  readonly #repairTimer: NodeJS.Timeout;
  #repair: Promise<void> | undefined;
  readonly #removeReference = (entry: TopicEntry): void => {
    entry.references -= 1;
    if (entry.references > 0 || this.#stopped) return;
    entry.linger = setTimeout(() => this.#drop(entry.chatId), this.#options.lingerMs);
    entry.linger.unref();
  };
  #stopped = false;

  constructor(deps: Deps, options: HubOptions) {
    this.#counters = deliveryCounters(deps.metrics);
    this.#deps = deps;
    this.#options = options;
    this.#repairTimer = setInterval(() => void this.repair(), options.repairIntervalMs);
    deps.bus.onLoss(() => void this.repair());
    // A comparison under way may have read in the epoch before.
    deps.epochs.onChange(() => void (this.#repair ?? Promise.resolve()).then(() => this.repair()));
  }

  /** Chats that the hub has a topic for, or is making one for. */
  get size(): number {
    return this.#entries.size;
  }

  /** The number of readings of a chat, live or behind; a stream that reads several chats counts for each. */
  countReaders(): { live: number; catchingUp: number } {
    let [live, catchingUp] = [0, 0];
    for (const topic of this.#ready.values()) {
      live += topic.liveReaders;
      catchingUp += topic.readersBehind;
    }
    return { live, catchingUp };
  }

  /** The chats that have readers here, with the numbers of their last changes. */
  listChats(): { chatId: string; lastSeq: number; readers: number }[] {
    return [...this.#ready].map(([chatId, topic]) => ({
      chatId,
      lastSeq: topic.head,
      readers: topic.liveReaders + topic.readersBehind,
    }));
  }

  /** Handles for the topics of those chats that exist. Throws UNAVAILABLE (STORAGE_UNAVAILABLE). */
  async acquire(chatIds: readonly string[]): Promise<Map<string, TopicHandle>> {
    const absent = chatIds.filter((chatId) => !this.#entries.has(chatId));
    if (absent.length > 0) this.#follow(absent);
    // Before the first await: a topic that lingers must not be dropped in the meantime.
    const entries = chatIds.map((chatId) => [chatId, this.#addReference(chatId)] as const);
    const handles = new Map<string, TopicHandle>();
    const results = await Promise.allSettled(entries.map(([, entry]) => entry.topic));
    const failures: unknown[] = [];
    for (const [i, result] of results.entries()) {
      const [chatId, entry] = entries[i]!;
      if (result.status === 'fulfilled')
        handles.set(chatId, new TopicHandle(result.value, entry, this.#removeReference));
      else if (!(result.reason instanceof NoSuchChat)) failures.push(result.reason);
    }
    if (failures.length > 0) {
      for (const handle of handles.values()) handle.release();
      throw failures[0];
    }
    return handles;
  }

  /** Calls the listener whenever the user's memberships may have changed; returns a function that stops it. */
  async watchMemberships(userId: string, listener: () => void): Promise<() => void> {
    let watch = this.#users.get(userId);
    if (!watch) {
      const listeners = new Set<() => void>();
      const unsubscribe = this.#deps.bus.subscribeToMemberships(userId, () => {
        for (const listener of listeners) listener();
      });
      watch = { listeners, unsubscribe, version: unsubscribe.then(() => this.#membershipVersion(userId)) };
      this.#users.set(userId, watch);
    }
    const { listeners, version, unsubscribe } = watch;
    listeners.add(listener);
    const stop = () => {
      listeners.delete(listener);
      if (listeners.size > 0 || this.#users.get(userId) !== watch) return;
      this.#users.delete(userId);
      unsubscribe.then((end) => end()).catch((err) => this.#deps.log.warn({ err }, 'could not unsubscribe'));
    };
    try {
      await version;
    } catch (error) {
      stop();
      throw error;
    }
    return stop;
  }

  /** Compares the heads of all topics with the database and fetches what live readers lack; the same for memberships. Never throws. */
  repair(): Promise<void> {
    this.#repair ??= Promise.all([this.#repairChats(), this.#repairMemberships()])
      .then(() => {})
      .catch((err) => this.#deps.log.warn({ err }, 'could not compare with the database; trying again'))
      .finally(() => {
        this.#repair = undefined;
      });
    return this.#repair;
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#repairTimer);
    await this.#repair;
    for (const { linger, unsubscribe } of this.#entries.values()) {
      clearTimeout(linger);
      await unsubscribe?.();
    }
    for (const topic of this.#ready.values()) topic.stop();
  }

  /** Subscribes before it reads the heads: a message committed between the two arrives by the bus. */
  #follow(chatIds: readonly string[]): void {
    const heads = this.#readHeads(chatIds);
    for (const chatId of chatIds) {
      const topic = heads.then(({ found, epoch }) => {
        const head = found.get(chatId);
        if (head === undefined) throw new NoSuchChat();
        return this.#createTopic(chatId, head, epoch);
      });
      topic.catch(() => this.#drop(chatId));
      this.#entries.set(chatId, { chatId, topic, early: [], references: 0 });
    }
  }

  async #readHeads(chatIds: readonly string[]): Promise<{ found: Map<string, number>; epoch: string }> {
    await this.#subscribeAll(chatIds);
    // Before the read: a topic may go from an earlier epoch to the present one, never back.
    const epoch = this.#deps.epochs.current;
    return { found: await this.#deps.messages.listHeads(chatIds), epoch };
  }

  async #subscribeAll(chatIds: readonly string[]): Promise<void> {
    // Wait until the caller has added the entries.
    await Promise.resolve();
    await Promise.all(chatIds.map((chatId) => this.#subscribe(chatId)));
  }

  async #subscribe(chatId: string): Promise<void> {
    const entry = this.#entries.get(chatId);
    const unsubscribe = await this.#deps.bus.subscribeToChat(chatId, (publication) => {
      const topic = this.#ready.get(chatId);
      if (topic) {
        topic.receive(publication);
        countReaders(publication, topic);
      } else this.#entries.get(chatId)?.early.push(publication);
    });
    // The entry may have been dropped meanwhile, and another one made for the same chat.
    if (entry && this.#entries.get(chatId) === entry) entry.unsubscribe = unsubscribe;
    else await unsubscribe();
  }

  #createTopic(chatId: string, head: number, epoch: string): Topic {
    const { messages, log } = this.#deps;
    const topic = new Topic(
      { head, epoch },
      {
        fetch: (afterSeq, limit) => messages.findChanges(chatId, afterSeq, limit),
        counters: this.#counters,
        onDeletion: () => messages.forgetPages(chatId),
        onFetchError: (err) => log.warn({ err, chatId }, 'could not fetch missing messages; trying again'),
      },
      this.#options,
    );
    this.#ready.set(chatId, topic);
    for (const publication of this.#entries.get(chatId)?.early.splice(0) ?? []) topic.receive(publication);
    return topic;
  }

  #addReference(chatId: string): TopicEntry {
    const entry = this.#entries.get(chatId)!;
    entry.references += 1;
    clearTimeout(entry.linger);
    return entry;
  }

  #drop(chatId: string): void {
    const entry = this.#entries.get(chatId);
    this.#entries.delete(chatId);
    this.#ready.get(chatId)?.stop();
    this.#ready.delete(chatId);
    entry?.unsubscribe?.().catch((err) => this.#deps.log.warn({ err, chatId }, 'could not unsubscribe'));
  }

  async #repairChats(): Promise<void> {
    if (this.#ready.size === 0) return;
    await this.#enterEpoch();
    const topics = [...this.#ready];
    const heads = await this.#deps.messages.listHeads(topics.map(([chatId]) => chatId));
    for (const [chatId, topic] of topics) {
      const seq = heads.get(chatId);
      topic.receive(seq === undefined ? { kind: 'deleted' } : { kind: 'head', seq });
    }
  }

  /** Leads the topics of an earlier epoch to the present one. */
  async #enterEpoch(): Promise<void> {
    const { epochs } = this.#deps;
    // A proxy may lead the same connections to another database, and an operator may begin an epoch.
    await epochs.refresh();
    const { current } = epochs;
    const stale = new Map([...this.#ready].filter(([, { epoch }]) => epoch !== current));
    if (stale.size === 0) return;
    const valid = await epochs.findValid(new Map([...stale].map(([chatId, { epoch }]) => [chatId, epoch])));
    for (const [chatId, topic] of stale) {
      const validSeq = valid.get(chatId);
      if (validSeq === undefined) topic.receive({ kind: 'deleted' });
      else topic.enterEpoch(current, validSeq);
    }
  }

  async #repairMemberships(): Promise<void> {
    if (this.#users.size === 0) return;
    const watches = [...this.#users];
    const versions = await this.#deps.memberships.listVersions(watches.map(([userId]) => userId));
    for (const [userId, watch] of watches) {
      const version = versions.get(userId) ?? 0;
      if ((await watch.version.catch(() => version)) === version) continue;
      watch.version = Promise.resolve(version);
      for (const listener of watch.listeners) listener();
    }
  }

  async #membershipVersion(userId: string): Promise<number> {
    return (await this.#deps.memberships.listVersions([userId])).get(userId) ?? 0;
  }
}

/** Puts the number of readers into the span of a delivery, which the bus has made active. */
function countReaders(publication: ChatPublication, { liveReaders }: Topic): void {
  if (publication.kind !== 'entries' || !publication.traces?.length) return;
  activeSpans()[0]?.setTag('chat.readers', liveReaders);
}

class NoSuchChat extends Error {}
