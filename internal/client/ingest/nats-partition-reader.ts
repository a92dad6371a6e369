import { AckPolicy, type ConsumerMessages, DeliverPolicy, type JetStreamManager, type JsMsg } from '@nats-io/jetstream';
import { decodeAccepted } from './accepted-message-codec.ts';
import type { LogEntry, PartitionReader } from './ingest-log.ts';

interface Span {
  stream: string;
  subject: string;
  afterPosition: number;
  /** Entries of a batch; twice as many may wait to be taken. */
  limit: number;
}

/** How long one request for entries stays open, in milliseconds. */
const pullMs = 10_000;
/** After so long without a request the server forgets the consumer, in nanoseconds. */
const forgottenAfter = 60_000_000_000;

/**
 * Reads a subject of a stream by a consumer of its own that keeps nothing at the server: what was read is known here only. Deliveries are
 * counted, and the first that is missing ends the iteration.
 */
export class NatsPartitionReader implements PartitionReader {
  readonly #manager: JetStreamManager;
  readonly #span: Span;
  readonly #onEnd: () => void;
  readonly #entries: LogEntry[] = [];
  readonly #changes = new Set<() => void>();
  #messages: ConsumerMessages | undefined;
  #consumer: string | undefined;
  #behind = 0;
  #error: unknown;
  #ended = false;

  constructor(manager: JetStreamManager, span: Span, onEnd: () => void) {
    this.#manager = manager;
    this.#span = span;
    this.#onEnd = onEnd;
  }

  get waiting(): number {
    return this.#behind + this.#entries.length;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly LogEntry[]> {
    void this.#pull().catch((error) => this.fail(error));
    while (!this.#ended) {
      if (this.#entries.length === 0) {
        await this.#change();
        continue;
      }
      const batch = this.#entries.splice(0, this.#span.limit);
      this.#changed();
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
    this.#changed();
    void this.#messages?.close().catch(() => {});
    // Only tidiness: the server forgets it by itself.
    if (this.#consumer) await this.#manager.consumers.delete(this.#span.stream, this.#consumer).catch(() => {});
  }

  async #pull(): Promise<void> {
    const { stream, subject, afterPosition, limit } = this.#span;
    const created = await this.#manager.consumers.add(stream, {
      filter_subject: subject,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: afterPosition + 1,
      ack_policy: AckPolicy.None,
      inactive_threshold: forgottenAfter,
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
        this.#changed();
        while (this.#entries.length >= 2 * limit && !this.#ended) await this.#change();
      }
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changes.add(resolve));
  }

  #changed(): void {
    const waiting = [...this.#changes];
    this.#changes.clear();
    for (const resolve of waiting) resolve();
  }
}

function toEntry({ seq, data }: JsMsg): LogEntry {
  return { position: seq, message: decodeAccepted(data), body: data };
}
