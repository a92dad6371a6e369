import type { Logger } from 'pino';
import type { Bus } from '../../client/bus/bus.ts';
import { type Metrics, noMetrics } from '../../client/metrics/metrics.ts';
import { traceOf } from '../../client/tracing/trace-context.ts';
import type { ChatType } from '../../model/chat.ts';
import { ChatError } from '../../model/errors.ts';
import type { StreamEnd, StreamReceipt, StreamStart, StreamWrite } from '../../model/stream-write.ts';
import type {
  NewStreamWrite,
  Streamed,
  StreamRefusal,
  StreamRepository,
  StreamRules,
} from '../../repository/stream-repository.ts';
import { refusalOf } from '../authorization.ts';
import { BatchWriter, type Settled, type WriterOptions } from './batch-writer.ts';
import { digestOfStart } from './digests.ts';
import { newMessageId } from './message-id.ts';
import { type NewPart, PartFlushes } from './part-flushes.ts';
import { TextTooLong } from './text-too-long.ts';
import { type WrittenCounters, WrittenEntries, writtenCounters } from './written-entries.ts';

interface Deps {
  streams: Pick<StreamRepository, 'appendBatch'>;
  bus: Bus;
  log: Logger;
  metrics?: Metrics;
}

export interface StreamWriterOptions extends WriterOptions {
  /** The parts of a message that arrive within this time after its last flush are flushed together. In milliseconds. */
  flushMs: number;
}

type Of<Kind> = Omit<StreamWrite, keyof StreamStart | keyof StreamEnd> & Kind;

/**
 * Commits streamed messages in batches, as BatchWriter says. The parts of a message are collected into flushes; a flush is one change of its chat. After the
 * commit the changes are published on the bus, in order.
 *
 * `start`, `append` and `finish` resolve once the write is committed, now or by an earlier call. They throw the errors of the RPCs of those names that depend
 * on the chat and on the message, or UNAVAILABLE (WRITER_BUSY: not stored; STORAGE_UNAVAILABLE: may be stored).
 */
export class StreamWriter {
  readonly #bus: Bus;
  readonly #counters: WrittenCounters;
  readonly #writer: BatchWriter<NewStreamWrite, Streamed, StreamReceipt>;
  readonly #flushes: PartFlushes;

  constructor({ streams, bus, log, metrics = noMetrics }: Deps, rules: StreamRules, options: StreamWriterOptions) {
    this.#bus = bus;
    this.#writer = new BatchWriter(
      {
        what: 'stream write',
        keysOf,
        append: (batch, lockWaitMs) => streams.appendBatch(batch, rules, lockWaitMs),
        settle: (settled) => this.#settle(settled),
      },
      log,
      options,
      metrics,
    );
    this.#counters = writtenCounters(metrics);
    this.#flushes = new PartFlushes((parts) => this.#writer.append({ kind: 'part', ...parts }), options.flushMs);
  }

  start(draft: Of<Omit<StreamStart, 'kind'>>): Promise<StreamReceipt> {
    const contentHash = digestOfStart(draft);
    return this.#writer.append({ kind: 'start', ...draft, messageId: newMessageId(), contentHash, ...traceOf(draft) });
  }

  /** The parts of one message must be given in the order of their numbers. */
  append(part: NewPart): Promise<StreamReceipt> {
    return this.#flushes.append({ ...part, ...traceOf(part) });
  }

  /** Ends a message after the parts that were given before. */
  finish(end: Of<Omit<StreamEnd, 'kind'>>): Promise<StreamReceipt> {
    this.#flushes.flush(end);
    return this.#writer.append({ kind: 'end', ...end, ...traceOf(end) });
  }

  /** Resolves when everything has been written or refused. Do not call the other methods any more. */
  async drain(): Promise<void> {
    await this.#flushes.drain();
    await this.#writer.drain();
  }

  #settle(settled: readonly Settled<NewStreamWrite, Streamed, StreamReceipt>[]): void {
    const written = new WrittenEntries(this.#counters);
    for (const { entry, outcome: streamed } of settled) {
      switch (streamed.outcome) {
        case 'stored':
          publishLater(written, entry.item, streamed);
          break;
        case 'repeated':
          // The first attempt may have been committed without an answer, and nobody has published it then.
          if (entry.maybeStored) written.addRepeated(entry.item, streamed);
          break;
        case 'part_missing':
          entry.reject(partMissing(streamed.nextPart));
          continue;
        default:
          entry.reject(toError(streamed.outcome, streamed.chatType));
          continue;
      }
      const { messageId, seq, createdAt, nextPart } = streamed;
      entry.resolve({ messageId, seq, createdAt, nextPart });
    }
    written.publish(this.#bus);
  }
}

function publishLater(
  written: WrittenEntries,
  write: NewStreamWrite,
  { what, messageId, seq, createdAt, epoch }: Extract<Streamed, { outcome: 'stored' }>,
): void {
  const { chatId, trace } = write;
  switch (what.kind) {
    case 'start': {
      const { actor: sender, clientMessageId, text } = write as Extract<NewStreamWrite, StreamStart>;
      const message = { chatId, id: messageId, sender, clientMessageId, text, streaming: 'STREAMING' } as const;
      return written.addStored({ ...message, ...(trace && { trace }) }, { messageId, seq, createdAt, epoch });
    }
    case 'part':
      return written.addEntry(chatId, { kind: 'message_part', part: what.part }, 'streamed', { epoch, trace });
    case 'end': {
      const entry = { kind: 'message_changed', message: what.message } as const;
      return written.addEntry(chatId, entry, 'stream_ended', { epoch, trace });
    }
    default:
      return what satisfies never;
  }
}

/** Two writes of one message, or a start and its repetition, are not in one batch. */
function keysOf(write: NewStreamWrite): string[] {
  const chat = write.chatId.toLowerCase();
  // Only the last part may contain spaces, so that no two writes share a key by accident.
  if (write.kind === 'start') return [`${chat} ${write.clientMessageId} ${write.actor.id}`];
  return [`${chat} ${write.messageId.toLowerCase()}`];
}

function partMissing(nextPart: number): ChatError {
  const description = `must be at most ${nextPart}: an earlier part is missing`;
  return new ChatError('PART_MISSING', `part ${description}`, { violations: [{ field: 'part', description }] });
}

function toError(outcome: StreamRefusal, chatType?: ChatType): ChatError {
  switch (outcome) {
    case 'chat_not_found':
    case 'not_a_member':
    case 'role_too_low':
    case 'reused':
      return refusalOf(outcome, chatType);
    case 'message_not_found':
      return new ChatError('MESSAGE_NOT_FOUND', 'there is no such message in this chat');
    case 'not_the_sender':
      return new ChatError('NOT_THE_SENDER', 'you may not continue the messages of others');
    case 'message_deleted':
      return new ChatError('MESSAGE_DELETED', 'the message has been deleted');
    case 'not_streaming':
    case 'not_idle':
      return new ChatError('NOT_STREAMING', 'the message is not growing (any more)');
    case 'too_long':
      return new TextTooLong();
    case 'busy':
      // BatchWriter tries these again until it gives up.
      return new ChatError('STORAGE_UNAVAILABLE', 'the chat is locked at the moment', { retryAfterMs: 1_000 });
    default:
      return outcome satisfies never;
  }
}
