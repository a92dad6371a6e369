import type { Logger } from 'pino';
import type { Bus } from '../../client/bus/bus.ts';
import { type Metrics, noMetrics } from '../../client/metrics/metrics.ts';
import { traceOf } from '../../client/tracing/trace-context.ts';
import { ChatError } from '../../model/errors.ts';
import type { Draft, Receipt } from '../../model/message.ts';
import { operations } from '../../model/operations.ts';
import type { Appended, MessageRepository, NewMessage } from '../../repository/message-repository.ts';
import { refusalOf, toMentionError } from '../authorization.ts';
import { BatchWriter, type Settled, type WriterOptions } from './batch-writer.ts';
import { digestOfMessage } from './digests.ts';
import { newMessageId } from './message-id.ts';
import { repetitionKey } from './repetition-key.ts';
import { type WrittenCounters, WrittenEntries, writtenCounters } from './written-entries.ts';

interface Deps {
  /** The append target: the database, or the ingest log in front of it. */
  messages: Pick<MessageRepository, 'appendBatch'>;
  bus: Bus;
  log: Logger;
  metrics?: Metrics;
}

/** Commits messages in batches, as BatchWriter says. After the commit they are published on the bus, in order. */
export class MessageWriter {
  readonly #bus: Bus;
  readonly #counters: WrittenCounters;
  readonly #writer: BatchWriter<NewMessage, Appended, Receipt>;

  constructor({ messages, bus, log, metrics = noMetrics }: Deps, options: WriterOptions) {
    this.#bus = bus;
    const { roles } = operations.SendMessage.chat;
    this.#writer = new BatchWriter(
      {
        what: 'message',
        // A client may send a message twice at once.
        keysOf: (message) => [repetitionKey(message)],
        append: (batch, lockWaitMs) => messages.appendBatch(batch, roles, lockWaitMs),
        settle: (settled) => this.#settle(settled),
      },
      log,
      options,
      metrics,
    );
    this.#counters = writtenCounters(metrics);
  }

  /**
   * Stores a message. Resolves once it is committed or accepted, now or by an earlier call. Throws ALREADY_EXISTS (MESSAGE_ID_REUSED), NOT_FOUND
   * (CHAT_NOT_FOUND), PERMISSION_DENIED (NOT_A_MEMBER, ROLE_TOO_LOW), UNAVAILABLE (WRITER_BUSY: not stored; STORAGE_UNAVAILABLE: may be stored), or
   * CANCELLED (CLIENT_GONE) when the signal aborts while the message waits.
   */
  append(draft: Draft, signal?: AbortSignal): Promise<Receipt> {
    const message = { ...draft, id: newMessageId(), contentHash: digestOfMessage(draft), ...traceOf(draft) };
    return this.#writer.append(message, signal);
  }

  /** Resolves when all messages have been written or refused. Do not call `append` any more. */
  drain(): Promise<void> {
    return this.#writer.drain();
  }

  #settle(settled: readonly Settled<NewMessage, Appended, Receipt>[]): void {
    const written = new WrittenEntries(this.#counters);
    for (const { entry, outcome: appended } of settled) {
      const { outcome, messageId, seq, createdAt } = appended;
      if (outcome === 'stored') {
        written.addStored(entry.item, appended);
      } else if (outcome === 'repeated') {
        if (entry.maybeStored) written.addRepeated(entry.item, appended);
        // Every attempt of this entry had its id, and no other entry has.
        if (messageId === entry.item.id) written.countLate();
      } else if (outcome !== 'accepted') {
        entry.reject(toError(outcome, appended));
        continue;
      }
      entry.resolve({ messageId, seq, createdAt });
    }
    written.publish(this.#bus);
  }
}

function toError(outcome: Exclude<Appended['outcome'], 'stored' | 'repeated' | 'accepted'>, appended: Appended) {
  if (outcome === 'full') {
    return new ChatError('WRITER_BUSY', 'too many messages are waiting to be written', { retryAfterMs: 5_000 });
  }
  if (outcome === 'unavailable' || outcome === 'busy') {
    return new ChatError('STORAGE_UNAVAILABLE', 'the message could not be stored at the moment', {
      retryAfterMs: 1_000,
    });
  }
  if (outcome === 'mention_refused') return toMentionError(appended.mentionFault!);
  return refusalOf(outcome, appended.chatType);
}
