import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Bus } from '../../client/bus/bus.ts';
import { type Metrics, noMetrics } from '../../client/metrics/metrics.ts';
import { traceOf } from '../../client/tracing/trace-context.ts';
import type { ChangeDraft, ChangeReceipt } from '../../model/change.ts';
import type { Changed, ChangeRepository, ChangeRules, NewChange } from '../../repository/change-repository.ts';
import { toMentionError } from '../authorization.ts';
import { BatchWriter, type Settled, type WriterOptions } from './batch-writer.ts';
import { toChangeError } from './change-errors.ts';
import { digestOfChange } from './digests.ts';
import { type WrittenCounters, WrittenEntries, writtenCounters } from './written-entries.ts';

interface Deps {
  changes: Pick<ChangeRepository, 'appendBatch'>;
  bus: Bus;
  log: Logger;
  metrics?: Metrics;
}

/** Commits changes of messages in batches, as BatchWriter says. After the commit the changed messages are published on the bus, in order. */
export class ChangeWriter {
  readonly #bus: Bus;
  readonly #counters: WrittenCounters;
  readonly #writer: BatchWriter<NewChange, Changed, ChangeReceipt>;

  constructor({ changes, bus, log, metrics = noMetrics }: Deps, rules: ChangeRules, options: WriterOptions) {
    this.#bus = bus;
    this.#writer = new BatchWriter(
      {
        what: 'change',
        keysOf,
        append: (batch, lockWaitMs) => changes.appendBatch(batch, rules, lockWaitMs),
        settle: (settled) => this.#settle(settled),
      },
      log,
      options,
      metrics,
    );
    this.#counters = writtenCounters(metrics);
  }

  /**
   * Stores a change. Resolves once it is committed, now or by an earlier call. Throws the errors of EditMessage and DeleteMessage that depend on the
   * chat and on the message, or UNAVAILABLE (WRITER_BUSY: not stored; STORAGE_UNAVAILABLE: may be stored).
   */
  append(draft: ChangeDraft): Promise<ChangeReceipt> {
    // With an id of its own, a deletion is recognised when it is tried again, also one that hides the message.
    const clientChangeId = draft.clientChangeId || randomUUID();
    return this.#writer.append({ ...draft, clientChangeId, digest: digestOfChange(draft), ...traceOf(draft) });
  }

  /** Resolves when all changes have been written or refused. Do not call `append` any more. */
  drain(): Promise<void> {
    return this.#writer.drain();
  }

  #settle(settled: readonly Settled<NewChange, Changed, ChangeReceipt>[]): void {
    const written = new WrittenEntries(this.#counters);
    for (const { entry, outcome: changed } of settled) {
      switch (changed.outcome) {
        case 'stored':
          written.addChanged(changed.message, changed.epoch, entry.item.trace);
          break;
        case 'repeated':
          // The first attempt may have been committed without an answer, and nobody has published it then.
          written.addRepeated(entry.item, changed);
          break;
        case 'already_deleted':
          break;
        default:
          entry.reject(
            changed.outcome === 'mention_refused'
              ? toMentionError(changed.mentionFault!)
              : toChangeError(changed.outcome, changed.chatType),
          );
          continue;
      }
      entry.resolve({ seq: changed.seq, createdAt: changed.createdAt });
    }
    written.publish(this.#bus);
  }
}

/** Two changes of a message, or a change and its repetition, are not in one batch. */
function keysOf({ chatId, messageId, actorId, clientChangeId }: NewChange): string[] {
  const chat = chatId.toLowerCase();
  const message = `${chat} ${messageId.toLowerCase()}`;
  // Only the last part may contain spaces, so that no two changes share a key by accident.
  return [message, `${chat} ${clientChangeId} ${actorId}`];
}
