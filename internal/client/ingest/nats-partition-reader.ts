import { AckPolicy, type ConsumerMessages, DeliverPolicy, type JetStreamManager, type JsMsg } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/transport-node';
import type { TraceContext } from '../../model/trace-context.ts';
import { traceHeaders } from '../tracing/trace-context.ts';
import { decodeAccepted } from './accepted-message-codec.ts';
import type { LogEntry, PartitionReader } from './ingest-log.ts';

interface ReadRange {
  stream: string;
  subject: string;
  afterPosition: number;
  /** Entries in a batch. Up to twice as many are read ahead. */
  limit: number;
}

/** How long one request for entries stays open, in milliseconds. */
const pullMs = 10_000;
/** How long the server keeps the consumer without a request, in nanoseconds. */
const inactiveThresholdNs = 60_000_000_000;

/**
 * Reads a subject of a stream with an ephemeral consumer, which stores no position at the server. It counts the deliveries, and the iteration throws when
 * one is missing.
 */
export class NatsPartitionReader implements PartitionReader {
  readonly #manager: JetStreamManager;
  readonly #range: ReadRange;
  readonly #onEnd: () => void;
  readonly #entries: LogEntry[] = [];
  readonly #waiters = new Set<() => void>();
  #messages: ConsumerMessages | undefined;
  #consumer: string | undefined;
  #behind = 0;
  #error: unknown;
  #ended = false;

  constructor(manager: JetStreamManager, range: ReadRange, onEnd: () => void) {
    this.#manager = manager;
    this.#range = range;
    this.#onEnd = onEnd;
  }

  get waiting(): number {
    return this.#behind + this.#entries.length;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly LogEntry[]> {
    void this.#pull().catch((error) => this.fail(error));
    while (!this.#ended) {
      if (this.#entries.length === 0) {
        await this.#nextChange();
        continue;
      }
      const batch = this.#entries.splice(0, this.#range.limit);
      this.#notify();
      yield batch;
    }
    if (this.#error !== undefined) throw this.#error;
  }

  /** Ends the iteration with an error. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#error = error ?? new Error('the reader failed');
    void this.close();
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
    this.#notify();
    void this.#messages?.close().catch(() => {});
    // The server removes the consumer by itself later.
    if (this.#consumer) await this.#manager.consumers.delete(this.#range.stream, this.#consumer).catch(() => {});
  }

  async #pull(): Promise<void> {
    const { stream, subject, afterPosition, limit } = this.#range;
    const created = await this.#manager.consumers.add(stream, {
      filter_subject: subject,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: afterPosition + 1,
      ack_policy: AckPolicy.None,
      inactive_threshold: inactiveThresholdNs,
      mem_storage: true,
      num_replicas: 1,
    });
    this.#consumer = created.name;
    this.#behind = created.num_pending;
    const consumer = this.#manager.jetstream().consumers.getConsumerFromInfo(created);
    let delivered = 0;
    while (!this.#ended) {
      this.#messages = await consumer.fetch({ max_messages: limit, expires: pullMs });
      if (this.#ended) return void this.#messages.close();
      for await (const message of this.#messages) {
        if (this.#ended) return;
        delivered += 1;
        if (message.info.deliverySequence !== delivered)
          throw new Error('an entry was lost on its way from the stream');
        this.#behind = message.info.pending;
        this.#entries.push(toEntry(message));
        this.#notify();
        while (this.#entries.length >= 2 * limit && !this.#ended) await this.#nextChange();
      }
    }
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => this.#waiters.add(resolve));
  }

  #notify(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const resolve of waiters) resolve();
  }
}

function toEntry({ seq, data, headers }: JsMsg): LogEntry {
  return { position: seq, message: decodeAccepted(data, traceIn(headers)), body: data };
}

/** The trace headers of an entry. Every entry has headers: the stream recognises a repetition by one. */
function traceIn(headers: MsgHdrs | undefined): TraceContext | undefined {
  if (!headers?.has('traceparent') && !headers?.has('uber-trace-id')) return undefined;
  const found = traceHeaders.map((name) => [name, headers.get(name)] as const).filter(([, value]) => value !== '');
  return Object.fromEntries(found);
}
