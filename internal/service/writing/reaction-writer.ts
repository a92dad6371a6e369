import type { Logger } from 'pino';
import type { Bus } from '../../client/bus/bus.ts';
import { type Metrics, noMetrics } from '../../client/metrics/metrics.ts';
import { traceOf } from '../../client/tracing/trace-context.ts';
import type { ChangeReceipt } from '../../model/change.ts';
import type { ReactionDraft } from '../../model/reaction.ts';
import type { NewReaction, Reacted, ReactionRepository, ReactionRules } from '../../repository/reaction-repository.ts';
import { BatchWriter, type Settled, type WriterOptions } from './batch-writer.ts';
import { toChangeError } from './change-errors.ts';
import { digestOfReaction } from './digests.ts';
import { type WrittenCounters, WrittenEntries, writtenCounters } from './written-entries.ts';

interface Deps {
  reactions: Pick<ReactionRepository, 'appendBatch'>;
  bus: Bus;
  log: Logger;
  metrics?: Metrics;
}

/** Commits changes of reactions in batches, as BatchWriter says. After the commit they are published on the bus, in order. */
export class ReactionWriter {
  readonly #bus: Bus;
  readonly #counters: WrittenCounters;
  readonly #writer: BatchWriter<NewReaction, Reacted, ChangeReceipt | undefined>;

  constructor({ reactions, bus, log, metrics = noMetrics }: Deps, rules: ReactionRules, options: WriterOptions) {
    this.#bus = bus;
    this.#writer = new BatchWriter(
      {
        what: 'reaction',
        keysOf,
        append: (batch, lockWaitMs) => reactions.appendBatch(batch, rules, lockWaitMs),
        settle: (settled) => this.#settle(settled),
      },
      log,
      options,
      metrics,
    );
    this.#counters = writtenCounters(metrics);
  }

  /**
   * Stores a change of a reaction. Resolves once it is committed, now or by an earlier call, with undefined if the reaction was as requested before. Throws
   * the errors of AddReaction that depend on the chat and on the message, or UNAVAILABLE (WRITER_BUSY: not stored; STORAGE_UNAVAILABLE: may be stored).
   */
  append(draft: ReactionDraft): Promise<ChangeReceipt | undefined> {
    return this.#writer.append({ ...draft, digest: digestOfReaction(draft), ...traceOf(draft) });
  }

  /** Resolves when all changes have been written or refused. Do not call `append` any more. */
  drain(): Promise<void> {
    return this.#writer.drain();
  }

  #settle(settled: readonly Settled<NewReaction, Reacted, ChangeReceipt | undefined>[]): void {
    const written = new WrittenEntries(this.#counters);
    for (const { entry, outcome: reacted } of settled) {
      switch (reacted.outcome) {
        case 'stored': {
          const { seq, createdAt } = reacted.change;
          written.addReaction(reacted.change, reacted.epoch, entry.item.trace);
          entry.resolve({ seq, createdAt });
          break;
        }
        case 'repeated':
          // The first attempt may have been committed without an answer, and nobody has published it then.
          written.addRepeated(entry.item, reacted);
          entry.resolve({ seq: reacted.seq, createdAt: reacted.createdAt });
          break;
        case 'unchanged':
          entry.resolve(undefined);
          break;
        default:
          entry.reject(toChangeError(reacted.outcome, reacted.chatType));
      }
    }
    written.publish(this.#bus);
  }
}

/** Two changes of one emoji of a message, or a change and its repetition, are not in one batch. */
function keysOf({ chatId, messageId, emoji, actor, clientChangeId }: NewReaction): string[] {
  const chat = chatId.toLowerCase();
  const reaction = `${chat} ${messageId.toLowerCase()} ${emoji}`;
  // Only the last part may contain spaces, so that no two changes share a key by accident.
  return clientChangeId === '' ? [reaction] : [reaction, `${chat} ${clientChangeId} ${actor.id}`];
}
