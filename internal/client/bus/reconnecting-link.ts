import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { Backoff } from '../../../pkg/backoff/backoff.ts';
import type { BusState } from './bus.ts';
import type { Link } from './link.ts';

export interface ReconnectingLinkOptions {
  /** The interval of pings, in milliseconds. */
  pingIntervalMs: number;
  /** The longest time until the answer to a ping, in milliseconds. */
  pingTimeoutMs: number;
  /** The longest time to connect, in milliseconds. */
  openTimeoutMs: number;
  /** The longest pause between two attempts to connect, in milliseconds. */
  maxRetryMs: number;
}

interface Deps {
  open: () => Promise<Link>;
  /** Prepares a new connection for use. If it rejects, the link reconnects. */
  prepare: (link: Link) => Promise<void>;
  /** Called for each change of the state, and at the start if the broker is unreachable. `reason` says why it is unreachable. */
  onStateChange: (state: BusState, reason?: unknown) => void;
}

const firstRetryMs = 50;

/** Keeps a connection to a broker: reconnects for ever when the connection breaks, does not answer pings or cannot be made. */
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

  /** Starts to connect. Resolves when the first attempt has succeeded or failed. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled = resolve;
      this.#running ??= this.#run();
    });
  }

  /** Reconnects if `link` is still the current connection. */
  replace(link: Link, reason: unknown): void {
    if (this.#link === link) this.#fail(reason);
  }

  /** Closes the connection and stops reconnecting. Idempotent. */
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
        // Watching begins now, to notice a broker that does not answer during the preparation.
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

  /** Connects within `openTimeoutMs`. If a timed-out attempt succeeds later, its connection is closed, so that none leaks. */
  async #open(): Promise<Link> {
    const { signal } = this.#closing;
    const opening = this.#deps.open();
    const timer = new AbortController();
    const given = AbortSignal.any([signal, timer.signal]);
    const timeout = delay(this.#options.openTimeoutMs, undefined, { signal: given }).then(() => {
      throw new Error('the broker does not accept the connection in time');
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

  /** Pings the broker. Resolves with an error when it does not answer in time. */
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
      // If this process was busy or stopped, the answer may already be in the socket: let the event loop read it.
      if (!answered) await setImmediate();
      if (!answered) await setImmediate();
      if (!answered) return new Error('the broker does not answer pings');
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
