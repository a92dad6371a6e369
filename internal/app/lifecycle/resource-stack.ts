import type { Logger } from 'pino';

/** Resources that have been opened. `close` closes them in reverse order. */
export class ResourceStack {
  readonly #log: Logger;
  readonly #closers: { name: string; close: () => void | Promise<void> }[] = [];
  #closing: Promise<void> | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** `name` is what the log calls the resource. */
  add(name: string, close: () => void | Promise<void>): void {
    this.#closers.push({ name, close });
  }

  /** Closes everything. The failure of one resource is logged, and the others are closed all the same. Twice is harmless. */
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
