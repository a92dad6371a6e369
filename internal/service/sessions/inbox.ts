/**
 * The frames that one client has sent and the session has not read yet. Unlike an async iteration it suspends no function while no frame
 * arrives, which saves memory for every idle stream.
 */
export interface Inbox<Frame> {
  /** The next frame; undefined if there is none at the moment. Throws if the client sent something that is no frame. */
  take(): Frame | undefined;
  /** Whether every frame was taken and no more can arrive. */
  readonly ended: boolean;
  /** Calls the reader whenever a frame arrives and when the inbox ends; at once, if that has happened already. There is one reader. */
  onReady(reader: () => void): void;
}

/** An inbox of what an iteration yields, each made into a frame. It asks for the next value when the frame before was taken. */
export class IteratedInbox<Given, Frame = Given> implements Inbox<Frame> {
  readonly #iterator: AsyncIterator<Given>;
  readonly #toFrame: (given: Given) => Frame;
  readonly #onResult = (result: IteratorResult<Given>) => this.#came(result);
  readonly #onError = (error: unknown) => this.#failed(error);
  #given: Given | undefined;
  #failure: { error: unknown } | undefined;
  #finished = false;
  #onReady: (() => void) | undefined;

  /** `take` throws what `toFrame` throws. */
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

/** The frames of an inbox as an async iteration. */
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
