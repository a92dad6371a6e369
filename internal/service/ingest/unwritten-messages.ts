import { setTimeout as sleep } from 'node:timers/promises';
import type { IngestLog } from '../../client/ingest/ingest-log.ts';
import type { IngestRepository } from '../../repository/ingest-repository.ts';

interface Deps {
  ingestLog: Pick<IngestLog, 'partitionOf' | 'state' | 'findEnd'>;
  repository: Pick<IngestRepository, 'findPositions'>;
}

export interface UnwrittenMessagesOptions {
  /** How long `settle` waits, and how often it looks meanwhile, in milliseconds. */
  waitMs: number;
  pollMs: number;
}

/** Messages that are accepted and not yet written to the database. */
export class UnwrittenMessages {
  readonly #deps: Deps;
  readonly #options: UnwrittenMessagesOptions;

  constructor(deps: Deps, options: UnwrittenMessagesOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Waits until every message of the chat that was accepted before the call is written or set aside. Returns false if that takes too long. Throws if the
   * log or the database cannot be reached.
   */
  async settle(chatId: string): Promise<boolean> {
    const { ingestLog, repository } = this.#deps;
    const partition = ingestLog.partitionOf(chatId);
    const [state, end] = await Promise.all([ingestLog.state(), ingestLog.findEnd(partition)]);
    const { waitMs, pollMs } = this.#options;
    for (let waitedMs = 0; waitedMs <= waitMs; waitedMs += pollMs) {
      const positions = await repository.findPositions(state);
      if (positions && (positions.get(partition) ?? 0) >= end) return true;
      await sleep(pollMs);
    }
    return false;
  }
}
