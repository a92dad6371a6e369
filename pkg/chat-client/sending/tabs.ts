/** What `webStorageOutbox` uses of a browser's `window`, to learn that another tab has been closed. */
export interface Tabs {
  /** Web Locks, which browsers have in secure contexts only. */
  readonly navigator: { readonly locks?: Locks | undefined };
  addEventListener(type: 'storage', listener: (event: { key: string | null; newValue: string | null }) => void): void;
  removeEventListener(
    type: 'storage',
    listener: (event: { key: string | null; newValue: string | null }) => void,
  ): void;
}

interface Locks {
  request(name: string, options: { signal: AbortSignal }, whileHeld: () => Promise<void>): Promise<unknown>;
}

/**
 * The tabs of a browser that share an outbox. Each holds a lock of its own while it is there; the others wait for that lock, and get it, one after the other,
 * when the tab is closed or crashes.
 */
export class TabWatch {
  readonly #locks: Locks | undefined;
  readonly #key: string;
  readonly #onGone: (tab: string) => void;
  readonly #stopped = new AbortController();
  readonly #known = new Set<string>();

  /** Calls `onGone` with each tab that was seen and is there no longer, while no other tab does so. */
  constructor(locks: Locks | undefined, key: string, onGone: (tab: string) => void) {
    this.#locks = locks;
    this.#key = key;
    this.#onGone = onGone;
  }

  /** Holds this tab's lock until `stop`. */
  enter(tab: string): void {
    this.#known.add(tab);
    this.#request(tab, () => new Promise((resolve) => this.#stopped.signal.addEventListener('abort', () => resolve())));
  }

  /** Waits until the tab is gone. */
  see(tab: string): void {
    if (this.#known.has(tab)) return;
    this.#known.add(tab);
    this.#request(tab, async () => {
      this.#known.delete(tab);
      this.#onGone(tab);
    });
  }

  stop(): void {
    this.#stopped.abort();
  }

  #request(tab: string, whileHeld: () => Promise<void>): void {
    // The promise rejects when the signal aborts, or with what `onGone` throws.
    this.#locks?.request(`${this.#key}/tabs/${tab}`, { signal: this.#stopped.signal }, whileHeld).catch(() => {});
  }
}
