import type { Logger } from 'pino';

/** What has been opened, to be closed in reverse order. */
export class ResourceStack {
  readonly #log: Logger;
  readonly #closers: { name: string; close: () => void | Promise<void> }[] = [];
  #closing: Promise<void> | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  add(name: string, close: () => void | Promise<void>): void {
    this.#closers.push({ name, close });
  }

  /** A part that fails to close is logged and does not keep the others open. Twice is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    for (let closer = this.#closers.pop(); closer; closer = this.#closers.pop()) {
      try {
        await closer.close();
      } catch (err) {
        this.#log.error({ err }, `could not close ${closer.name}`);
      }
    }
  }
}
