import type { Logger } from 'pino';
import { sleep } from '../../../pkg/backoff/sleep.ts';
import type { Metrics } from '../../client/metrics/metrics.ts';
import {
  type EventSink,
  type ExportedEvent,
  endOfChat,
  type LastEvent,
  numberOf,
  OtherEpoch,
  Superseded,
} from '../../client/sinks/event-sink.ts';
import type { Entry } from '../../model/entry.ts';
import type { MessageRepository } from '../../repository/message-repository.ts';
import type { SinkCursor, SinkCursorRepository, SinkPlace } from '../../repository/sink-cursor-repository.ts';
import { type SinkCounters, sinkCounters } from './sink-counters.ts';

interface Deps {
  cursors: SinkCursorRepository;
  messages: Pick<MessageRepository, 'findChanges'>;
  sink: EventSink;
  log: Logger;
  metrics?: Metrics;
}

export interface SinkRelayOptions {
  /** The name of the sink, as metrics show it. */
  name: string;
  /** Chats whose changes are delivered at the same time. */
  maxChats: number;
  /** Changes of a chat that are delivered before other chats have their turn. */
  pageSize: number;
  /** Events in one delivery. The cursor moves after each delivery. */
  batchSize: number;
  /** How long a claimed chat is kept from other relays, in milliseconds. After that they take the relay for dead. */
  leaseMs: number;
  /** How long to wait before looking for changes again when there were none, in milliseconds. */
  pollMs: number;
  /** How long to wait after a failure, in milliseconds. */
  restMs: number;
}

/** Chats that are compared with the database in one query. */
const checkedTogether = 200;

/**
 * Delivers every durable change to one sink: the changes of each chat in the order of their numbers, at least once. It goes on through failures of the
 * sink and of the database until it is stopped. Several relays of one sink share its chats. Relays of different sinks do not affect each other.
 *
 * When the database has gone back, consumers of a sink that can be read back get `reset` for each chat of which the sink has more than is valid.
 */
export class SinkRelay {
  readonly #deps: Deps;
  readonly #options: SinkRelayOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  readonly #counters: SinkCounters;
  #enabled = false;
  #failing = false;
  #failure: string | undefined;
  /** When changes were last exported, or none were waiting, in milliseconds of `performance.now`. */
  #upToDateAt = performance.now();
  /** The age of the change that was exported last, in milliseconds; 0 if none waits. */
  #ageMs = 0;

  constructor(deps: Deps, options: SinkRelayOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#counters = sinkCounters(options.name, () => this.lagSeconds, deps.metrics);
  }

  /** How late the sink is, in seconds: 0 if it has everything. */
  get lagSeconds(): number {
    const failingMs = this.#failing ? performance.now() - this.#upToDateAt : 0;
    return Math.max(failingMs, this.#ageMs) / 1_000;
  }

  /** Why nothing can be exported at the moment. */
  get failure(): string | undefined {
    return this.#failing ? this.#failure : undefined;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when the deliveries under way have ended and their cursors are stored. Twice is harmless. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      let restMs = 0;
      try {
        const chats = await this.#deliverSome();
        if (chats === 0) {
          restMs = this.#options.pollMs;
          this.#ageMs = 0;
        }
        // Only a delivery shows that the sink works again.
        else if (this.#failing) {
          this.#deps.log.info('changes are exported again');
          this.#failing = false;
        }
        this.#upToDateAt = performance.now();
      } catch (err) {
        if (!this.#failing) this.#deps.log.warn({ err }, 'changes cannot be exported at the moment');
        this.#failing = true;
        this.#failure = (err as Error).message;
        this.#counters.failures.add(1);
        restMs = this.#options.restMs;
      }
      if (restMs > 0) await sleep(restMs, signal);
    }
  }

  /** Returns how many chats had changes. Throws the first failure, after all deliveries have ended. */
  async #deliverSome(): Promise<number> {
    const { cursors } = this.#deps;
    if (!this.#enabled) await cursors.enable();
    this.#enabled = true;
    const epoch = await cursors.findUncheckedEpoch();
    if (epoch !== undefined) await this.#check(epoch);
    const chats = await cursors.claim(this.#options.maxChats, this.#options.leaseMs);
    const results = await Promise.allSettled(chats.map((chat) => this.#deliver(chat)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return chats.length;
  }

  async #deliver(cursor: SinkCursor): Promise<void> {
    try {
      await this.#deliverNext(cursor);
    } catch (error) {
      // The cursor has been put back, and whoever claims it next goes on from there.
      if (error instanceof Superseded) return;
      if (!(error instanceof OtherEpoch)) throw error;
      for (const place of await this.#correct([error.last])) await this.#deps.cursors.move(place);
    }
  }

  async #deliverNext({ chatId, deleted, exportedSeq, position, epoch, replay }: SinkCursor): Promise<void> {
    const { cursors, messages, sink } = this.#deps;
    const { pageSize, batchSize } = this.#options;
    const page = deleted ? undefined : await messages.findChanges(chatId, exportedSeq, pageSize);
    if (!page) {
      await sink.deliver([{ kind: 'chat_deleted', chatId }], position, epoch, replay);
      return cursors.forget(chatId);
    }
    const reached = { exportedSeq, position };
    try {
      const events = page.batch.entries.flatMap(toEvents);
      for (let at = 0; at < events.length; at += batchSize) {
        if (this.#stopping.signal.aborted) return;
        const batch = events.slice(at, at + batchSize);
        reached.position = await sink.deliver(batch, reached.position, epoch, replay);
        reached.exportedSeq = numberOf(batch.at(-1)!);
        this.#noteExported(batch);
      }
    } finally {
      await cursors.release({ chatId, epoch, replay, ...reached });
    }
  }

  #noteExported(events: readonly ExportedEvent[]): void {
    this.#counters.events.add(events.length);
    const [oldest] = events;
    if (oldest?.kind === 'message') this.#ageMs = Math.max(0, Date.now() - oldest.message.createdAt.getTime());
  }

  /** Compares all that the sink has with the database, which may have gone back. It includes chats that nobody writes to any more. */
  async #check(epoch: string): Promise<void> {
    const { cursors, sink } = this.#deps;
    let others: LastEvent[] = [];
    for await (const last of sink.lastEvents()) {
      if (this.#stopping.signal.aborted) return;
      if (last.epoch !== epoch) others.push(last);
      if (others.length < checkedTogether) continue;
      await this.#correct(others);
      others = [];
    }
    await this.#correct(others);
    await cursors.noteChecked(epoch);
  }

  /** Tells consumers which of these events of other epochs are void. Returns the places of the others. */
  async #correct(lastEvents: readonly LastEvent[]): Promise<Omit<SinkPlace, 'replay'>[]> {
    if (lastEvents.length === 0) return [];
    const epochs = new Map(lastEvents.map((last) => [last.chatId, last.epoch]));
    const { epoch, valid } = await this.#deps.cursors.findValid(epochs);
    const correct = async (last: LastEvent) => {
      const validSeq = valid.get(last.chatId);
      if (validSeq === undefined) return this.#endChat(last, epoch);
      if (last.number > validSeq) return this.#reset(last, epoch, validSeq);
      return { chatId: last.chatId, exportedSeq: last.number, position: last.position, epoch };
    };
    return (await Promise.all(lastEvents.map(correct))).filter((place) => place !== undefined);
  }

  async #reset({ chatId, number, position, replay }: LastEvent, epoch: string, validSeq: number): Promise<undefined> {
    const { cursors, sink } = this.#deps;
    // Consumers have dropped everything of a chat that was deleted. Of a message with a lost change they need the state of before.
    const oldestChanged = await sink.findOldestChanged(chatId, validSeq);
    const fromSeq = number === endOfChat ? 0 : Math.min(validSeq, (oldestChanged ?? validSeq + 1) - 1);
    // The cursor first, without a position: should this relay end here, the next delivery finds the other epoch again.
    await cursors.move({ chatId, exportedSeq: fromSeq, position: 0, epoch });
    await sink.deliver([{ kind: 'reset', chatId, fromSeq }], position, epoch, replay);
  }

  async #endChat({ chatId, number, position, replay }: LastEvent, epoch: string): Promise<undefined> {
    const { cursors, sink } = this.#deps;
    if (number !== endOfChat) await sink.deliver([{ kind: 'chat_deleted', chatId }], position, epoch, replay);
    await cursors.forget(chatId);
  }
}

/** Returns one event for each number of the entry. */
function toEvents(entry: Entry): ExportedEvent[] {
  // Pages of the database have no parts: they have the whole message in its newest state.
  if (entry.kind === 'message_part') throw new TypeError('a part of a message was read from the database');
  if (entry.kind !== 'covered') return [entry];
  const { chatId, fromSeq, toSeq } = entry;
  return Array.from({ length: toSeq - fromSeq + 1 }, (_, i) => ({ kind: 'covered', chatId, seq: fromSeq + i }));
}
