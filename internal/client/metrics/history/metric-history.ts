import type { MetricPoint } from './metric-point.ts';
import { pointBetween, type Reading, readSamples } from './point-between.ts';

interface Deps {
  /** Returns the metrics in the text format. */
  expose(): Promise<{ text: string }>;
  /** Called when the metrics could not be read; they are read again at the next time. */
  onError(error: unknown): void;
}

interface Options {
  /** The time between two readings, in milliseconds. */
  everyMs: number;
  /** Points that are kept; the oldest are dropped. */
  maxPoints: number;
}

/** The newest past of the process's own metrics, in memory. */
export class MetricHistory {
  readonly #deps: Deps;
  readonly #options: Options;
  readonly #timer: NodeJS.Timeout;
  readonly #points: MetricPoint[] = [];
  #last: Reading | undefined;
  #reading: Promise<void> | undefined;

  constructor(deps: Deps, options: Options) {
    this.#deps = deps;
    this.#options = options;
    this.#timer = setInterval(() => void this.read(), options.everyMs);
    this.#timer.unref();
    void this.read();
  }

  /** The oldest first. */
  get points(): readonly MetricPoint[] {
    return this.#points;
  }

  /** Reads the metrics now, unless that is under way. Never throws. */
  read(): Promise<void> {
    this.#reading ??= this.#read()
      .catch((error: unknown) => this.#deps.onError(error))
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reading;
  }

  async #read(): Promise<void> {
    const { text } = await this.#deps.expose();
    const reading = readSamples(text, Date.now());
    if (this.#last) this.#points.push(pointBetween(this.#last, reading));
    if (this.#points.length > this.#options.maxPoints) this.#points.shift();
    this.#last = reading;
  }
}
