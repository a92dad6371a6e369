import type { Frame } from '../../model/frame.ts';
import { LightAbortController } from '../../model/light-abort.ts';
import type { FrameWriter } from './frame-sender.ts';

type Run = (write: FrameWriter, gone: LightAbortController) => Promise<void>;
type Result = IteratorResult<Frame, void>;

/**
 * Makes an iteration, for one reader, of a function that writes frames. A write resolves when the reader asks for the frame after it. The
 * iteration throws what `run` throws. When the reader gives up, `run`'s controller aborts; `run` may abort it too, to end although the
 * reader takes nothing.
 */
export function frameIterator(run: Run, signal: AbortSignal): FrameIterator {
  return new FrameIterator(run, signal);
}

/** There is one for each gRPC stream, and a generator that waits for a frame would take four times the memory. */
class FrameIterator implements AsyncIterableIterator<Frame, void> {
  #run: Run | undefined;
  readonly #gone = new LightAbortController();
  /** The frame that was written but not asked for yet. */
  #waiting: Frame | undefined;
  /** Resolves the promise of the newest write. */
  #onTaken: (() => void) | undefined;
  /** Whether the reader has the newest frame; it has taken it once it asks for the next. */
  #given = false;
  #asked: { resolve: (result: Result) => void; reject: (error: unknown) => void } | undefined;
  #end: { error?: unknown } | undefined;

  constructor(run: Run, signal: AbortSignal) {
    this.#run = run;
    if (signal.aborted) this.#gone.abort();
    else signal.addEventListener('abort', () => this.#gone.abort(), { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    const run = this.#run;
    if (run) this.#start(run);
    if (this.#given) {
      this.#given = false;
      this.#onTaken?.();
    }
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
      this.#answer();
    });
  }

  return(): Promise<Result> {
    this.#run = undefined;
    this.#end = {};
    this.#waiting = undefined;
    this.#gone.abort();
    return Promise.resolve({ done: true, value: undefined });
  }

  async throw(error: unknown): Promise<Result> {
    await this.return();
    throw error;
  }

  #start(run: Run): void {
    this.#run = undefined;
    run((frame) => this.#write(frame), this.#gone).then(
      () => this.#finish({}),
      (error: unknown) => this.#finish({ error }),
    );
  }

  #write(frame: Frame): Promise<void> {
    return new Promise((resolve) => {
      this.#onTaken = resolve;
      this.#waiting = frame;
      this.#answer();
    });
  }

  #finish(end: { error?: unknown }): void {
    this.#end ??= end;
    this.#answer();
  }

  #answer(): void {
    const asked = this.#asked;
    if (!asked || !(this.#waiting || this.#end)) return;
    this.#asked = undefined;
    if (this.#waiting) {
      const value = this.#waiting;
      this.#waiting = undefined;
      this.#given = true;
      return asked.resolve({ done: false, value });
    }
    const { error } = this.#end!;
    this.#end = {};
    if (error === undefined) asked.resolve({ done: true, value: undefined });
    else asked.reject(error);
  }
}
