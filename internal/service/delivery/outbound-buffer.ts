import { Frame } from '../../model/frame.ts';

export interface OutboundBufferOptions {
  /** Bytes from which on no more messages may be pushed. */
  maxBytes: number;
  /** Bytes of a joined frame at the most; a single frame that is larger is taken as it is. */
  maxFrameBytes: number;
}

interface Queued {
  frame: Frame;
  /** Set for what only members may read: `drop` takes it out when the membership ends. */
  chatId?: string;
}

/**
 * The frames that wait for one reader. All frames pushed within one turn of the event loop are taken as one, and what is pushed while the
 * reader is busy joins the next.
 */
export class OutboundBuffer {
  readonly #options: OutboundBufferOptions;
  #queue: Queued[] = [];
  #bytes = 0;
  #ended = false;
  #onReady: (() => void) | undefined;
  #waking = false;
  #waitingForRoom: (() => void)[] = [];

  constructor(options: OutboundBufferOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether messages may be pushed. Answers to commands may be pushed without room: no command is read until there is room. */
  get hasRoom(): boolean {
    return this.#bytes < this.#options.maxBytes;
  }

  /** Frames of what only members of a chat may read name the chat. Does nothing once the buffer has ended. */
  push(frame: Frame, chatId?: string): void {
    if (this.#ended) return;
    this.#queue.push({ frame, chatId });
    this.#bytes += frame.bytes.length;
    this.#wake();
  }

  /** Resolves when at most a quarter of `maxBytes` is left, or when the buffer has ended. */
  async whenRoom(): Promise<void> {
    while (this.#bytes > this.#options.maxBytes / 4 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#waitingForRoom.push(resolve);
      });
    }
  }

  /** Drops the chat's frames. */
  drop(chatId: string): void {
    this.#queue = this.#queue.filter((queued) => queued.chatId !== chatId);
    this.#count();
  }

  /** Drops the frames of every chat. Answers to commands remain. */
  dropMessages(): void {
    this.#queue = this.#queue.filter((queued) => queued.chatId === undefined);
    this.#count();
  }

  /** Takes no further frames. Those that were pushed can still be taken. Twice is harmless. */
  end(): void {
    this.#ended = true;
    this.#wake();
    this.#releaseWriters();
  }

  /** Whether the buffer has ended and its last frame was taken. */
  get finished(): boolean {
    return this.#ended && this.#queue.length === 0;
  }

  /**
   * Calls the reader at the end of each turn of the event loop in which a frame was pushed or the buffer ended; and at once, if that has
   * happened already. There is one reader: a second call replaces the first.
   */
  onReady(reader: () => void): void {
    this.#onReady = reader;
    if (this.#ended || this.#queue.length > 0) reader();
  }

  /** The next frame, joined of as many as `maxFrameBytes` allows; undefined if the buffer is empty. */
  take(): Frame | undefined {
    if (this.#queue.length === 0) return undefined;
    // The common case.
    if (this.#queue.length === 1) {
      const { frame } = this.#queue.pop()!;
      this.#bytes = 0;
      this.#releaseWriters();
      return frame;
    }
    let bytes = 0;
    let count = 0;
    for (const { frame } of this.#queue) {
      if (count > 0 && bytes + frame.bytes.length > this.#options.maxFrameBytes) break;
      bytes += frame.bytes.length;
      count += 1;
    }
    const taken = this.#queue.splice(0, count);
    this.#bytes -= bytes;
    this.#releaseWriters();
    return Frame.join(taken.map(({ frame }) => frame));
  }

  /** Calls the reader at the end of the turn, so that everything that is pushed in this turn goes into one frame. */
  #wake(): void {
    if (this.#waking || !this.#onReady) return;
    this.#waking = true;
    OutboundBuffer.#woken.push(this);
    if (OutboundBuffer.#woken.length === 1) setImmediate(OutboundBuffer.#flush);
  }

  /** The buffers whose readers are called at the end of this turn: one immediate for all, as every reader of a chat has a buffer. */
  static #woken: OutboundBuffer[] = [];
  static readonly #flush = () => {
    const woken = OutboundBuffer.#woken;
    OutboundBuffer.#woken = [];
    for (const buffer of woken) {
      buffer.#waking = false;
      buffer.#onReady?.();
    }
  };

  #releaseWriters(): void {
    if (this.#bytes > this.#options.maxBytes / 4 && !this.#ended) return;
    for (const wake of this.#waitingForRoom.splice(0)) wake();
  }

  #count(): void {
    this.#bytes = this.#queue.reduce((sum, { frame }) => sum + frame.bytes.length, 0);
    this.#releaseWriters();
  }
}
