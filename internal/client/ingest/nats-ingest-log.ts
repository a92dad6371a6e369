import { hash } from 'node:crypto';
import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import type { AcceptedMessage } from '../../model/message.ts';
import type { TraceContext } from '../../model/trace-context.ts';
import { connectNats } from '../nats/connect-nats.ts';
import { ensureStream } from '../nats/ensure-stream.ts';
import type { NatsOptions } from '../nats/server-options.ts';
import { decodeAccepted, encodeAccepted } from './accepted-message-codec.ts';
import type { AppendResult, FoundEntry, IngestLog, LogState } from './ingest-log.ts';
import { NatsPartitionReader } from './nats-partition-reader.ts';
import { partitionOf } from './partition-of.ts';

export interface NatsIngestLogOptions {
  nats: NatsOptions;
  stream: string;
  partitions: number;
  replicas: number;
  /** How much the stream may hold, in bytes. Beyond that it refuses messages. */
  maxBytes: number;
  /** How long the stream recognises a repeated message, in milliseconds. */
  duplicateWindowMs: number;
  /** How long to wait for the acknowledgement of a message, in milliseconds. */
  ackTimeoutMs: number;
}

const notFound = 10_059;
const tooLarge = 10_054;
/** The largest message of a stream that is closed, in bytes. No entry is as small. */
const closedMaxBytes = 1;
const nanosecondsPerMs = 1_000_000;

/**
 * The log in a JetStream stream, stored in files, with a subject for each partition. Creates the stream if it does not exist. A full stream refuses new
 * messages and removes none. Works with NATS 2.9 and newer.
 */
export class NatsIngestLog implements IngestLog {
  readonly #connection: NatsConnection;
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #options: NatsIngestLogOptions;
  readonly #readers = new Set<NatsPartitionReader>();
  #restoring: Promise<void> | undefined;

  private constructor(connection: NatsConnection, manager: JetStreamManager, options: NatsIngestLogOptions) {
    this.#connection = connection;
    this.#client = jetstream(connection);
    this.#manager = manager;
    this.#options = options;
    void this.#watch();
  }

  /** Connects, and creates the stream if it does not exist. Throws an error that names the server or the stream. */
  static async open(options: NatsIngestLogOptions): Promise<NatsIngestLog> {
    const connection = await connectNats(options.nats, 'chat-service ingest');
    try {
      const log = new NatsIngestLog(connection, await jetstreamManager(connection), options);
      await log.#ensureStream();
      return log;
    } catch (cause) {
      await connection.close();
      throw new Error(`cannot use the stream ${options.stream}: ${(cause as Error).message}`, { cause });
    }
  }

  get partitions(): number {
    return this.#options.partitions;
  }

  partitionOf(chatId: string): number {
    return partitionOf(chatId, this.#options.partitions);
  }

  async state(): Promise<LogState> {
    const { stream: name } = this.#options;
    const { created, state, config } = await this.#manager.streams.info(name).catch(async (error) => {
      if (!isMissing(error)) throw error;
      await this.#restoreStream();
      return this.#manager.streams.info(name);
    });
    const isOpen = config.max_msg_size !== closedMaxBytes;
    return { name, createdAt: created, lastPosition: state.last_seq, entries: state.messages, isOpen };
  }

  append(messages: readonly AcceptedMessage[]): Promise<AppendResult[]> {
    // One connection carries them all, so the stream stores them in the order in which they are published here.
    return Promise.all(messages.map((message) => this.#appendOne(message)));
  }

  async appendAgain(body: Uint8Array, key: string): Promise<AppendResult | { outcome: 'unreadable' }> {
    const message = decodeAccepted(body);
    if (!message) return { outcome: 'unreadable' };
    // The stream may still recognise the id under which the entry was appended first.
    return this.#appendOne(message, hash('sha256', JSON.stringify(['again', key, message.id]), 'base64url'));
  }

  read(partition: number, afterPosition: number, limit: number): NatsPartitionReader {
    const { stream } = this.#options;
    const reader = new NatsPartitionReader(
      this.#manager,
      { stream, subject: this.#subject(partition), afterPosition, limit },
      () => this.#readers.delete(reader),
    );
    this.#readers.add(reader);
    return reader;
  }

  async find(position: number): Promise<FoundEntry | undefined> {
    const found = await this.#manager.streams.getMessage(this.#options.stream, { seq: position });
    if (!found) return undefined;
    const { data: body, subject } = found;
    return { position, partition: Number(subject.split('.').at(-1)), message: decodeAccepted(body), body };
  }

  async findEnd(partition: number): Promise<number> {
    const newest = await this.#manager.streams.getMessage(this.#options.stream, {
      last_by_subj: this.#subject(partition),
    });
    return newest?.seq ?? 0;
  }

  async setOpen(isOpen: boolean): Promise<void> {
    await this.#manager.streams.update(this.#options.stream, { max_msg_size: isOpen ? -1 : closedMaxBytes });
  }

  async trim(partition: number, throughPosition: number): Promise<void> {
    const filter = this.#subject(partition);
    await this.#manager.streams.purge(this.#options.stream, { filter, seq: throughPosition + 1 });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#readers].map((reader) => reader.close()));
    await this.#connection.close();
  }

  /** Never throws. */
  async #appendOne(message: AcceptedMessage, msgID = message.id): Promise<AppendResult> {
    const { stream, ackTimeoutMs } = this.#options;
    try {
      const ack = await this.#client.publish(this.#subject(this.partitionOf(message.chatId)), encodeAccepted(message), {
        msgID,
        timeout: ackTimeoutMs,
        ...(message.trace && { headers: toHeaders(message.trace) }),
        expect: { streamName: stream },
      });
      if (!ack.duplicate) return { outcome: 'appended' };
      const stored = await this.#manager.streams.getMessage(stream, { seq: ack.seq });
      const first = stored && decodeAccepted(stored.data);
      if (!first) return { outcome: 'unavailable', cause: new Error(`entry ${ack.seq} cannot be read`) };
      return { outcome: 'duplicate', first };
    } catch (cause) {
      // Nothing subscribes to the subject: the stream may have been deleted.
      if ((cause as Error).name === 'JetStreamNotEnabled') void this.#restoreStream().catch(() => {});
      if (isClosed(cause))
        return { outcome: 'unavailable', cause: new Error(`the stream ${stream} is closed`, { cause }) };
      return isFull(cause) ? { outcome: 'full' } : { outcome: 'unavailable', cause };
    }
  }

  #subject(partition: number): string {
    return `${subjects(this.#options.stream)}.${partition}`;
  }

  #restoreStream(): Promise<void> {
    this.#restoring ??= this.#ensureStream().finally(() => (this.#restoring = undefined));
    return this.#restoring;
  }

  async #ensureStream(): Promise<void> {
    const { stream, maxBytes, replicas, duplicateWindowMs } = this.#options;
    await ensureStream(this.#manager, {
      name: stream,
      subjects: [`${subjects(stream)}.*`],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.New,
      // No entry is removed by age: each stays until it has been written.
      max_age: 0,
      max_bytes: maxBytes,
      num_replicas: replicas,
      duplicate_window: duplicateWindowMs * nanosecondsPerMs,
    });
  }

  /** When the connection breaks, entries on their way to readers may be lost, so the readers fail. A server that restarts may have lost its stream. */
  async #watch(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === 'disconnect') for (const reader of [...this.#readers]) reader.fail(new Error('NATS is away'));
      if (type === 'reconnect') void this.#restoreStream().catch(() => {});
    }
  }
}

function toHeaders(trace: TraceContext): MsgHdrs {
  const entries = headers();
  for (const [name, value] of Object.entries(trace)) entries.set(name, value);
  return entries;
}

function subjects(stream: string): string {
  return `chat.ingest.${stream}`;
}

function isMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === notFound;
}

function isClosed(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === tooLarge;
}

function isFull(error: unknown): boolean {
  return error instanceof JetStreamApiError && /maximum (messages|bytes)|insufficient.*resources/.test(error.message);
}
