import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { Backoff } from '../../../pkg/backoff/backoff.ts';
import type { BusState } from './bus.ts';
import type { Link } from './link.ts';

export interface ReconnectingLinkOptions {
  /** How often the broker is asked whether it lives, and how long it may take to answer, in milliseconds. */
  pingIntervalMs: number;
  pingTimeoutMs: number;
  /** How long connecting may take, in milliseconds. */
  openTimeoutMs: number;
  /** The longest pause between two attempts to connect, in milliseconds. */
  maxRetryMs: number;
}

interface Deps {
  open: () => Promise<Link>;
  /** Prepares a new connection for use. If it fails another one is made. */
  prepare: (link: Link) => Promise<void>;
  /** `reason`: why the broker is away. Called for each change, and once at the start if the broker is away then. */
  onStateChange: (state: BusState, reason?: unknown) => void;
}

const firstRetryMs = 50;

/** A connection to a broker that is replaced for ever whenever it breaks, goes silent or cannot be made. */
export class ReconnectingLink {
  readonly #deps: Deps;
  readonly #options: ReconnectingLinkOptions;
  readonly #closing = new AbortController();
  #link: Link | undefined;
  #state: BusState | undefined;
  #running: Promise<void> | undefined;
  #settled = () => {};
  #fail = (_reason: unknown) => {};

  constructor(deps: Deps, options: ReconnectingLinkOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get state(): BusState {
    return this.#state ?? 'away';
  }

  /** The connection, from before it is prepared until it breaks. */
  get link(): Link | undefined {
    return this.#link;
  }

  /** Begins; resolves when the first attempt to connect has succeeded or failed. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled = resolve;
      this.#running ??= this.#run();
    });
  }

  /** Has another connection made in this one's place, if it is still in use. */
  replace(link: Link, reason: unknown): void {
    if (this.#link === link) this.#fail(reason);
  }

  /** Drops the connection. Twice is harmless. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#fail(undefined);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const pauses = new Backoff({ firstMs: firstRetryMs, maxMs: this.#options.maxRetryMs, jitter: 'equal' });
    while (!signal.aborted) {
      let reason: unknown;
      try {
        const link = await this.#open();
        this.#link = link;
        const failed = new Promise<unknown>((resolve) => {
          this.#fail = resolve;
        });
        if (signal.aborted) this.#fail(undefined);
        const prepared = this.#deps.prepare(link).then(() => {
          pauses.reset();
          this.#setState('connected');
        });
        // A broker that goes silent meanwhile is noticed as well.
        const watched = this.#watch(link);
        watched.catch(() => {});
        reason = await Promise.race([link.broken, failed, prepared.then(() => watched), watched]);
      } catch (error) {
        reason = error;
      }
      this.#link?.destroy();
      this.#link = undefined;
      if (signal.aborted) break;
      this.#setState('away', reason);
      await pauses.wait(signal);
    }
    this.#settled();
  }

  /** An attempt that is given up is seen to its end elsewhere, so that no connection is left behind. */
  async #open(): Promise<Link> {
    const { signal } = this.#closing;
    const opening = this.#deps.open();
    const timer = new AbortController();
    const given = AbortSignal.any([signal, timer.signal]);
    const timeout = delay(this.#options.openTimeoutMs, undefined, { signal: given }).then(() => {
      throw new Error('the broker does not answer');
    });
    try {
      return await Promise.race([opening, timeout]);
    } catch (error) {
      opening.then(
        (link) => link.destroy(),
        () => {},
      );
      throw error;
    } finally {
      timer.abort();
      timeout.catch(() => {});
    }
  }

  /** Returns when the broker does not answer any more. */
  async #watch(link: Link): Promise<unknown> {
    const { pingIntervalMs, pingTimeoutMs } = this.#options;
    while (this.#link === link) {
      await delay(pingIntervalMs, undefined, { signal: this.#closing.signal, ref: false });
      let answered = false;
      const ping = link.ping().then(() => {
        answered = true;
      });
      const timer = new AbortController();
      const timeout = delay(pingTimeoutMs, undefined, { signal: timer.signal, ref: false }).catch(() => {});
      await Promise.race([ping, timeout]).finally(() => timer.abort());
      // The answer may have been waiting all the while that this process was busy or stopped.
      if (!answered) await setImmediate();
      if (!answered) await setImmediate();
      if (!answered) return new Error('the broker has gone silent');
    }
    return undefined;
  }

  #setState(state: BusState, reason?: unknown): void {
    this.#settled();
    if (state === this.#state) return;
    this.#state = state;
    this.#deps.onStateChange(state, reason);
  }
}
