import type { Logger } from 'pino';

/** What has been opened, to be closed in reverse order. */
export class ResourceStack {
  readonly #log: Logger;
  readonly #closers: { name: string; close: () => void | Promise<void> }[] = [];

  constructor(log: Logger) {
    this.#log = log;
  }

  add(name: string, close: () => void | Promise<void>): void {
    this.#closers.push({ name, close });
  }

  /** A part that fails to close is logged and does not keep the others open. */
  async close(): Promise<void> {
    for (let closer = this.#closers.pop(); closer; closer = this.#closers.pop()) {
      try {
        await closer.close();
      } catch (err) {
        this.#log.error({ err }, `could not close ${closer.name}`);
      }
    }
  }
}
