/**
 * What has come from one client and was not read yet. Unlike an iteration, which has to be waited for, it costs nothing while nothing
 * comes.
 */
export interface Inbox<Frame> {
  /** The next frame; undefined if there is none at the moment. Throws if what came is no frame. */
  take(): Frame | undefined;
  /** Whether everything has been taken and no more will come. */
  readonly ended: boolean;
  /** Calls the one reader when there is something to take, or when it has ended; now, if that is so already. */
  onReady(reader: () => void): void;
}

/** What an iteration gives, each made into a frame. The next is asked for when the one before has been taken. */
export class IteratedInbox<Given, Frame = Given> implements Inbox<Frame> {
  readonly #iterator: AsyncIterator<Given>;
  readonly #toFrame: (given: Given) => Frame;
  readonly #onResult = (result: IteratorResult<Given>) => this.#came(result);
  readonly #onError = (error: unknown) => this.#failed(error);
  #given: Given | undefined;
  #failure: { error: unknown } | undefined;
  #finished = false;
  #onReady: (() => void) | undefined;

  /** Whatever `toFrame` throws, `take` does. */
  constructor(frames: AsyncIterable<Given>, toFrame: (given: Given) => Frame) {
    this.#iterator = frames[Symbol.asyncIterator]();
    this.#toFrame = toFrame;
    this.#next();
  }

  get ended(): boolean {
    return this.#finished;
  }

  take(): Frame | undefined {
    if (this.#failure) throw this.#failure.error;
    const given = this.#given;
    if (given === undefined) return undefined;
    this.#given = undefined;
    this.#next();
    return this.#toFrame(given);
  }

  onReady(reader: () => void): void {
    this.#onReady = reader;
    if (this.#given !== undefined || this.#finished || this.#failure) reader();
  }

  #next(): void {
    this.#iterator.next().then(this.#onResult, this.#onError);
  }

  #came({ done, value }: IteratorResult<Given>): void {
    if (done) this.#finished = true;
    else this.#given = value;
    this.#onReady?.();
  }

  #failed(error: unknown): void {
    this.#failure = { error };
    this.#onReady?.();
  }
}

/** The frames of an inbox, for whoever would rather wait for them. */
export async function* framesOf<Frame>(inbox: Inbox<Frame>): AsyncGenerator<Frame, void, undefined> {
  let wake = () => {};
  inbox.onReady(() => wake());
  for (;;) {
    const frame = inbox.take();
    if (frame !== undefined) yield frame;
    else if (inbox.ended) return;
    else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}
