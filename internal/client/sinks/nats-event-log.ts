import {
  DeliverPolicy,
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
import { connectNats } from '../nats/connect-nats.ts';
import { ensureStream } from '../nats/ensure-stream.ts';
import type { NatsOptions } from '../nats/server-options.ts';
import { parseEventId, toEventId } from './event-id.ts';
import { chatIdOf, type ExportedEvent, type LastEvent } from './event-sink.ts';
import { type OrderedLog, PositionConflict } from './ordered-log.ts';
import { type EventHeaders, readHeaders } from './read-headers.ts';

export interface NatsEventLogOptions {
  nats: NatsOptions;
  stream: string;
  /** Events of a chat go to `<prefix>.events.<chat id>`. */
  prefix: string;
  replicas: number;
  /** How long the stream keeps events, in milliseconds; 0: for ever. */
  maxAgeMs: number;
  /** How much the stream keeps, in bytes: beyond, it removes the oldest events. 0: as much as the server allows. */
  maxBytes: number;
  /** How long to wait for the acknowledgement of an event, in milliseconds. */
  ackTimeoutMs: number;
}

/** How events are encoded. */
export interface EventFormat {
  /** Returns undefined for an event that has no content besides its headers. */
  encode(event: ExportedEvent): { contentType: string; body: Uint8Array } | undefined;
}

interface Opened {
  connection: NatsConnection;
  client: JetStreamClient;
  manager: JetStreamManager;
}

const errorCodes = { wrongLastSequence: 10_071, noMessage: 10_037, gone: [10_037, 10_043, 10_057] };
const idHeader = 'Nats-Msg-Id';
/** The number of the message that was changed. */
const messageHeader = 'message-seq';
const nanosecondsPerMs = 1_000_000;
const duplicateWindowMs = 120_000;

/**
 * An ordered log in a JetStream stream, stored in files. Each event has the message id of `toEventId`, so the stream recognises an event
 * that is published again within two minutes. The connection is made and the stream created at the first use. Works with NATS 2.9 and newer.
 */
export class NatsEventLog implements OrderedLog {
  readonly #options: NatsEventLogOptions;
  readonly #format: EventFormat;
  #connection: Promise<NatsConnection> | undefined;
  #opened: Promise<Opened> | undefined;

  constructor(format: EventFormat, options: NatsEventLogOptions) {
    this.#format = format;
    this.#options = options;
  }

  async append(event: ExportedEvent, after: number, epoch: string, replay = 0): Promise<number> {
    const { client } = await this.#open();
    const header = headers();
    header.set('event', event.kind);
    const content = this.#format.encode(event);
    if (content) header.set('content-type', content.contentType);
    const changed = changedMessageOf(event);
    if (changed !== undefined) header.set(messageHeader, `${changed}`);
    try {
      const { seq } = await client.publish(this.#subject(chatIdOf(event)), content?.body, {
        msgID: toEventId(event, epoch, replay),
        headers: header,
        timeout: this.#options.ackTimeoutMs,
        retries: 1,
        expect: { streamName: this.#options.stream, lastSubjectSequence: after },
      });
      return seq;
    } catch (cause) {
      if (cause instanceof JetStreamApiError && cause.code === errorCodes.wrongLastSequence) {
        throw new PositionConflict(cause.message, { cause });
      }
      // The server may have restarted without the stream: the next call creates it.
      this.#opened = undefined;
      throw cause;
    }
  }

  async findLast(chatId: string): Promise<LastEvent | undefined> {
    const { manager } = await this.#open();
    try {
      const found = await manager.streams.getMessage(this.#options.stream, { last_by_subj: this.#subject(chatId) });
      if (!found) return undefined;
      return { ...parseEventId(found.header.get(idHeader)), chatId, position: found.seq };
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === errorCodes.noMessage) return undefined;
      throw error;
    }
  }

  async findOldestChanged(chatId: string, afterSeq: number): Promise<number | undefined> {
    let oldest: number | undefined;
    for await (const { headers } of await this.#readChat(chatId)) {
      const changed = headers.get(messageHeader);
      if (changed === '' || parseEventId(headers.get(idHeader)).number <= afterSeq) continue;
      oldest = Math.min(oldest ?? Number(changed), Number(changed));
    }
    return oldest;
  }

  /** Reads the headers of all events of the chat. */
  async erase(chatId: string, messageSeqs: ReadonlySet<number>): Promise<void> {
    const newest = new Map<number, number>();
    const older: number[] = [];
    for await (const { position, headers } of await this.#readChat(chatId)) {
      const messageSeq = messageSeqOf(headers);
      if (messageSeq === undefined || !messageSeqs.has(messageSeq)) continue;
      const before = newest.get(messageSeq);
      if (before !== undefined) older.push(before);
      newest.set(messageSeq, position);
    }
    for (const position of older) await this.#eraseOne(position);
  }

  async *lastEvents(): AsyncGenerator<LastEvent, void, undefined> {
    const subject = this.#subject('*');
    const range = { stream: this.#options.stream, subject, policy: DeliverPolicy.LastPerSubject };
    for await (const { position, headers } of readHeaders(await this.#open(), range)) {
      yield { ...parseEventId(headers.get(idHeader)), position };
    }
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.close();
  }

  async #readChat(chatId: string): Promise<AsyncGenerator<EventHeaders, void, undefined>> {
    const range = { stream: this.#options.stream, subject: this.#subject(chatId), policy: DeliverPolicy.All };
    return readHeaders(await this.#open(), range);
  }

  async #eraseOne(position: number): Promise<void> {
    const { manager } = await this.#open();
    try {
      // Overwrites the event in the stream's files.
      await manager.streams.deleteMessage(this.#options.stream, position, true);
    } catch (error) {
      // It was removed by age, or by another relay.
      if (!(error instanceof JetStreamApiError) || !errorCodes.gone.includes(error.code)) throw error;
    }
  }

  #subject(chatId: string): string {
    return `${this.#options.prefix}.events.${chatId}`;
  }

  #open(): Promise<Opened> {
    this.#opened ??= this.#connect().catch((error) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async #connect(): Promise<Opened> {
    if ((await this.#connection)?.isClosed()) this.#connection = undefined;
    this.#connection ??= connectNats(this.#options.nats, 'chat-service export').catch((error) => {
      this.#connection = undefined;
      throw error;
    });
    const connection = await this.#connection;
    const manager = await jetstreamManager(connection);
    await this.#ensureStream(manager);
    return { connection, manager, client: jetstream(connection) };
  }

  async #ensureStream(manager: JetStreamManager): Promise<void> {
    const { stream, replicas, maxAgeMs, maxBytes } = this.#options;
    const windowMs = maxAgeMs > 0 ? Math.min(duplicateWindowMs, maxAgeMs) : duplicateWindowMs;
    await ensureStream(manager, {
      name: stream,
      subjects: [this.#subject('*')],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_age: maxAgeMs * nanosecondsPerMs,
      max_bytes: maxBytes > 0 ? maxBytes : -1,
      num_replicas: replicas,
      duplicate_window: windowMs * nanosecondsPerMs,
    });
  }
}

/** The number of the message that an event has changed; undefined if it changed none. */
function changedMessageOf(event: ExportedEvent): number | undefined {
  if (event.kind === 'reaction') return event.reaction.messageSeq;
  return event.kind === 'message_changed' ? event.message.seq : undefined;
}

/** The number of the message that an event is about; undefined for other events. */
function messageSeqOf(header: MsgHdrs): number | undefined {
  if (header.get('event') === 'message') return parseEventId(header.get(idHeader)).number;
  return header.has(messageHeader) ? Number(header.get(messageHeader)) : undefined;
}
