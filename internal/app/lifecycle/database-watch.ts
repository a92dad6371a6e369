import type { Logger } from 'pino';
import { type Histogram, type Metrics, noMetrics, secondsBuckets } from '../../client/metrics/metrics.ts';

interface Deps {
  /** Asks the database something; rejects while it cannot be reached. */
  ask: () => Promise<unknown>;
  log: Logger;
  metrics?: Metrics;
  /** Called when the database has gone away, and when it is back. */
  onChange: (reachable: boolean) => void;
}

/** How often the database is asked, in milliseconds: health checks that balancers make every few seconds see a change with their next one. */
const everyMs = 1_000;

/** Asks the database regularly whether it answers, and logs and reports when that changes. At first it counts as reachable. */
export class DatabaseWatch {
  readonly #deps: Deps;
  readonly #timer: NodeJS.Timeout;
  readonly #seconds: Histogram<never>;
  #reachable = true;
  #asking = false;
  #stopped = false;

  constructor(deps: Deps, intervalMs = everyMs) {
    this.#deps = deps;
    const { metrics = noMetrics } = deps;
    this.#seconds = metrics.histogram({
      name: 'chat_database_probe_seconds',
      help: 'How long PostgreSQL took to answer an empty question, which it is asked each second, in seconds.',
      buckets: secondsBuckets,
    });
    metrics.gauge({ name: 'chat_database_up', help: '1 while PostgreSQL answers, else 0.', ofWorkers: 'min' }, () =>
      this.#reachable ? 1 : 0,
    );
    this.#timer = setInterval(() => void this.#ask(), intervalMs);
  }

  /** Nothing is reported afterwards. Twice is harmless. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** Never throws: any error means that the database cannot be reached. */
  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const { ask, log, onChange } = this.#deps;
    const begun = performance.now();
    const reachable = await ask().then(
      () => true,
      () => false,
    );
    if (reachable) this.#seconds.observe((performance.now() - begun) / 1_000);
    this.#asking = false;
    if (this.#stopped || reachable === this.#reachable) return;
    this.#reachable = reachable;
    if (reachable) log.info('the database is back');
    else log.warn('the database is away');
    onChange(reachable);
  }
}
