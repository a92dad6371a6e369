import type { Logger } from 'pino';
import { ChatError } from '../../model/errors.ts';
import type { ChatRole } from '../../model/member.ts';
import type { EpochRepository } from '../../repository/epoch-repository.ts';
import type { AcceptanceCheck, IngestRepository } from '../../repository/ingest-repository.ts';
import type { NewMessage } from '../../repository/message-repository.ts';
import { RecentSenders, type RecentSendersOptions } from './recent-senders.ts';

export interface SenderChecksOptions extends RecentSendersOptions {
  /** How long to wait for the database before the remembered checks decide, in milliseconds. */
  timeoutMs: number;
  /** How long to wait before asking the database again after it was away, in milliseconds. */
  restMs: number;
}

interface Deps {
  repository: Pick<IngestRepository, 'checkAcceptance'>;
  epochs: Pick<EpochRepository, 'current' | 'onChange'>;
  log: Logger;
}

/**
 * The result of a check. `unknown`: the database is away, and no recent check of the sender is remembered; or the mode of the database is direct, and this
 * process can only accept messages into the log.
 */
export type SenderCheck = Exclude<AcceptanceCheck, { outcome: 'other_mode' }> | { outcome: 'unknown' };

/** Results that say of the sender, and not of the message, that it may not send. */
const endsPermission = new Set<AcceptanceCheck['outcome']>([
  'chat_not_found',
  'not_a_member',
  'role_too_low',
  'other_mode',
]);

/**
 * Decides which messages may be accepted: by the database, or while it is away by the last check of the same sender in the same chat. A check does not count
 * in a later epoch: the database may have lost the chat, or the membership.
 */
export class SenderChecks {
  readonly #repository: Pick<IngestRepository, 'checkAcceptance'>;
  readonly #epochs: Pick<EpochRepository, 'current' | 'onChange'>;
  readonly #log: Logger;
  readonly #options: SenderChecksOptions;
  readonly #recent: RecentSenders;
  #askAgainAt = 0;
  #warnedOfMode = false;

  constructor({ repository, epochs, log }: Deps, options: SenderChecksOptions) {
    this.#repository = repository;
    this.#epochs = epochs;
    this.#log = log;
    this.#options = options;
    this.#recent = new RecentSenders(options);
    epochs.onChange(() => this.#recent.forgetAll());
  }

  /** Returns the results in the order of the batch. */
  async check(batch: readonly NewMessage[], sendingRoles: readonly ChatRole[]): Promise<SenderCheck[]> {
    const { current } = this.#epochs;
    const checks = await this.#ask(batch, sendingRoles);
    const isPresent = this.#epochs.current === current;
    if (!checks) {
      return batch.map(
        (message) => ({ outcome: this.#isAcceptableUnseen(message) ? 'acceptable' : 'unknown' }) as const,
      );
    }
    return checks.map((check, i) => {
      const { outcome } = check;
      if (outcome === 'acceptable' && isPresent) this.#recent.remember(batch[i]!);
      else if (endsPermission.has(outcome)) this.#recent.forget(batch[i]!);
      if (outcome !== 'other_mode') return check;
      this.#warnOfMode();
      return { outcome: 'unknown' };
    });
  }

  /** Whether a message may be accepted while the database is away. Who may mention everyone is not remembered. */
  #isAcceptableUnseen(message: NewMessage): boolean {
    return this.#recent.has(message) && !message.mentions?.some(({ everyone }) => everyone);
  }

  /** Undefined while the database is away. Throws any other error of the database. */
  async #ask(batch: readonly NewMessage[], sendingRoles: readonly ChatRole[]): Promise<AcceptanceCheck[] | undefined> {
    const wasAway = this.#askAgainAt > 0;
    if (performance.now() < this.#askAgainAt) return undefined;
    // While the database is away one batch asks again, and the others do not wait for its answer.
    if (wasAway) this.#askAgainAt = performance.now() + this.#options.restMs;
    try {
      const checks = await this.#inTime(this.#repository.checkAcceptance(batch, sendingRoles));
      this.#askAgainAt = 0;
      if (wasAway) this.#log.info('senders are checked with the database again');
      return checks;
    } catch (error) {
      if (!(error instanceof ChatError) || error.reason !== 'STORAGE_UNAVAILABLE') throw error;
      if (!wasAway) this.#log.warn({ err: error }, 'the database is away: senders are known by their last checks');
      this.#askAgainAt = performance.now() + this.#options.restMs;
      return undefined;
    }
  }

  #warnOfMode(): void {
    if (this.#warnedOfMode) return;
    this.#warnedOfMode = true;
    this.#log.error('the mode of the database is direct now: this node accepts no message until it is restarted');
  }

  async #inTime<T>(answer: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new ChatError('STORAGE_UNAVAILABLE', 'the database takes too long', { retryAfterMs: 1_000 })),
      this.#options.timeoutMs,
    );
    try {
      return await Promise.race([answer, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
