import type { Logger } from 'pino';

interface Deps {
  /** Asks the database something; rejects while it cannot be reached. */
  ask: () => Promise<unknown>;
  log: Logger;
  /** Called when the database has gone away, and when it is back. */
  onChange: (reachable: boolean) => void;
}

/** How often the database is asked, in milliseconds: health checks that balancers make every few seconds see a change with their next one. */
const everyMs = 1_000;

/** Asks the database regularly whether it answers, and logs and reports when that changes. At first it counts as reachable. */
export class DatabaseWatch {
  readonly #deps: Deps;
  readonly #timer: NodeJS.Timeout;
  #reachable = true;
  #asking = false;
  #stopped = false;

  constructor(deps: Deps, intervalMs = everyMs) {
    this.#deps = deps;
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
    const reachable = await ask().then(
      () => true,
      () => false,
    );
    this.#asking = false;
    if (this.#stopped || reachable === this.#reachable) return;
    this.#reachable = reachable;
    if (reachable) log.info('the database is back');
    else log.warn('the database is away');
    onChange(reachable);
  }
}
