/** Waits that can be ended early, for good. */
export class Pause {
  readonly #ended = new AbortController();

  /** Resolves after so many milliseconds and up to as many again, by chance; at once when ended. */
  async wait(ms: number): Promise<void> {
    const { signal } = this.#ended;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms * (1 + Math.random()));
      signal.addEventListener('abort', end);
    });
  }

  end(): void {
    this.#ended.abort();
  }
}
