import type { Logger } from 'pino';
import { Backoff } from '../../../pkg/backoff/backoff.ts';
import { sleep } from '../../../pkg/backoff/sleep.ts';
import { ChatError } from '../../model/errors.ts';

export interface RevocationsFeedOptions {
  /** The wait between two reads, in milliseconds. */
  pollMs: number;
  /** The longest wait between two reads while they fail, in milliseconds. */
  maxBackoffMs: number;
  /** The longest time of a read, in milliseconds. A longer one counts as failed. */
  readTimeoutMs: number;
  /** The longest time between two reads of everything, in milliseconds. */
  fullReadMs: number;
}

interface Deps<Batch> {
  /** What is read, for log messages: `cannot read <name>`. */
  name: string;
  read: (cursor?: string) => Promise<Batch>;
  apply: (batch: Batch) => void;
  log: Logger;
}

/**
 * Polls a source for new items, one read at a time, and passes them to `apply`. A failed read is repeated until it succeeds. From time to time everything
 * is read, without a cursor: whatever made a cursor wrong, a row that was changed by hand for example, is put right.
 */
export class RevocationsFeed<Batch extends { cursor: string }> {
  readonly #deps: Deps<Batch>;
  readonly #options: RevocationsFeedOptions;
  readonly #pauses: Backoff;
  readonly #firstRead = Promise.withResolvers<void>();
  #cursor: string | undefined;
  /** When everything was read last, on the clock of `performance.now()`. */
  #fullReadAt = 0;
  /** Calls of `refresh` that wait for the next read to begin. */
  #waiting: PromiseWithResolvers<void>[] = [];
  #failing = false;
  #lastError: unknown;
  #following = false;
  #closed = false;
  #wake = new AbortController();

  constructor(deps: Deps<Batch>, options: RevocationsFeedOptions) {
    this.#deps = deps;
    this.#options = options;
    const { pollMs, maxBackoffMs } = options;
    this.#pauses = new Backoff({ firstMs: 2 * pollMs, maxMs: Math.max(pollMs, maxBackoffMs), jitter: 'none' });
  }

  /** Polls until `close`. Resolves after the first successful read; throws, and closes, after `timeoutMs` milliseconds without one. */
  async start(timeoutMs: number): Promise<void> {
    this.#following = true;
    void this.#follow();
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(() => timeout.reject(new Error('timeout')), timeoutMs);
    try {
      await Promise.race([this.#firstRead.promise, timeout.promise]);
    } catch {
      this.close();
      const why = causes(this.#lastError).join(': ') || `no answer within ${timeoutMs} ms`;
      throw new Error(`cannot read ${this.#deps.name}: ${why}`, { cause: this.#lastError });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads now. Resolves after a read that began after the call. Throws the read's error, or UNAVAILABLE (DRAINING) when closed. */
  refresh(): Promise<void> {
    if (!this.#following || this.#closed) return Promise.reject(closed());
    const read = Promise.withResolvers<void>();
    this.#waiting.push(read);
    this.#wake.abort();
    return read.promise;
  }

  /** Stops polling, and ignores the result of a running read. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#wake.abort();
    for (const { reject } of this.#waiting.splice(0)) reject(closed());
  }

  /** The polling loop. Never rejects. */
  async #follow(): Promise<void> {
    const { pollMs } = this.#options;
    while (!this.#closed) {
      const served = this.#waiting.splice(0);
      const error = await this.#read();
      for (const { resolve, reject } of served) error === undefined ? resolve() : reject(error);
      const waitMs = this.#failing ? this.#pauses.next() : pollMs;
      if (this.#waiting.length === 0 && !this.#closed) await this.#pause(waitMs);
    }
  }

  /** Reads and applies new items. Returns the error if that fails. */
  async #read(): Promise<unknown> {
    const { name, read, apply, log } = this.#deps;
    const begun = performance.now();
    const cursor = begun < this.#fullReadAt + this.#options.fullReadMs ? this.#cursor : undefined;
    try {
      const batch = await this.#inTime(read(cursor));
      if (this.#closed) return closed();
      apply(batch);
      if (cursor === undefined) this.#fullReadAt = begun;
      this.#cursor = batch.cursor;
    } catch (error) {
      const err = error ?? new Error(`reading ${name} failed`);
      if (!this.#failing && !this.#closed) log.warn({ err }, `cannot read ${name}; trying again`);
      this.#failing = true;
      this.#lastError = err;
      return err;
    }
    if (this.#failing) log.info(`reading ${name} again`);
    this.#failing = false;
    this.#pauses.reset();
    this.#firstRead.resolve();
    return undefined;
  }

  async #inTime(read: Promise<Batch>): Promise<Batch> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(notInTime(this.#deps.name)), this.#options.readTimeoutMs);
    try {
      return await Promise.race([read, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits `ms` milliseconds, or until `refresh` or `close` is called. */
  #pause(ms: number): Promise<void> {
    this.#wake = new AbortController();
    return sleep(ms, this.#wake.signal);
  }
}

/** The messages of an error and its chain of causes. */
function causes(error: unknown): string[] {
  return error instanceof Error ? [error.message, ...causes(error.cause)] : [];
}

function closed(): ChatError {
  return new ChatError('DRAINING', 'the service is being started or stopped', { retryAfterMs: 500 });
}

function notInTime(name: string): ChatError {
  return new ChatError('STORAGE_UNAVAILABLE', `reading ${name} takes too long`, { retryAfterMs: 1_000 });
}
