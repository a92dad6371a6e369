import type { Logger } from 'pino';
import { ChatError } from '../../model/errors.ts';
import type { ChatRole } from '../../model/member.ts';
import type { AcceptanceCheck, IngestRepository } from '../../repository/ingest-repository.ts';
import type { NewMessage } from '../../repository/message-repository.ts';
import { RecentSenders, type RecentSendersOptions } from './recent-senders.ts';

export interface SenderChecksOptions extends RecentSendersOptions {
  /** How long the database may take before what is remembered decides, in milliseconds. */
  patienceMs: number;
  /** How long the database is left alone once it was away, in milliseconds. */
  restMs: number;
}

interface Deps {
  repository: Pick<IngestRepository, 'checkAcceptance'>;
  log: Logger;
}

/** As Judged; `unknown`: the database cannot be asked, and nothing is remembered. */
export type Checked = AcceptanceCheck | { outcome: 'unknown' };

/**
 * Says which messages may be kept: as the database says, or, while it is away, for those whose last check was passed not long
 * ago.
 */
export class SenderChecks {
  readonly #repository: Pick<IngestRepository, 'checkAcceptance'>;
  readonly #log: Logger;
  readonly #options: SenderChecksOptions;
  readonly #recent: RecentSenders;
  #askAgainAt = 0;

  constructor({ repository, log }: Deps, options: SenderChecksOptions) {
    this.#repository = repository;
    this.#log = log;
    this.#options = options;
    this.#recent = new RecentSenders(options);
  }

  /** In the order of the batch. */
  async check(batch: readonly NewMessage[], sendingRoles: readonly ChatRole[]): Promise<Checked[]> {
    const judged = await this.#ask(batch, sendingRoles);
    if (!judged) {
      return batch.map((message) => ({ outcome: this.#recent.has(message) ? 'acceptable' : 'unknown' }) as const);
    }
    for (const [i, { outcome }] of judged.entries()) {
      if (outcome === 'acceptable') this.#recent.remember(batch[i]!);
      else if (outcome !== 'repeated' && outcome !== 'reused') this.#recent.forget(batch[i]!);
    }
    return judged;
  }

  /** Undefined while the database is away. Throws what it refuses. */
  async #ask(batch: readonly NewMessage[], sendingRoles: readonly ChatRole[]): Promise<AcceptanceCheck[] | undefined> {
    const wasAway = this.#askAgainAt > 0;
    if (performance.now() < this.#askAgainAt) return undefined;
    // While it is away one batch asks, and the others do not wait for the answer.
    if (wasAway) this.#askAgainAt = performance.now() + this.#options.restMs;
    try {
      const judged = await this.#inTime(this.#repository.checkAcceptance(batch, sendingRoles));
      this.#askAgainAt = 0;
      if (wasAway) this.#log.info('senders are checked with the database again');
      return judged;
    } catch (error) {
      if (!(error instanceof ChatError) || error.reason !== 'STORAGE_UNAVAILABLE') throw error;
      if (!wasAway) this.#log.warn({ err: error }, 'the database is away: senders are known by their last checks');
      this.#askAgainAt = performance.now() + this.#options.restMs;
      return undefined;
    }
  }

  async #inTime<T>(answer: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new ChatError('STORAGE_UNAVAILABLE', 'the database takes too long', { retryAfterMs: 1_000 })),
      this.#options.patienceMs,
    );
    try {
      return await Promise.race([answer, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
