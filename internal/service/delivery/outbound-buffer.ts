import { Frame } from '../../model/frame.ts';

export interface OutboundBufferOptions {
  /** Beyond this many bytes there is no room for more messages. */
  maxBytes: number;
  /** A frame is closed once it has this many bytes. */
  maxFrameBytes: number;
}

interface Queued {
  frame: Frame;
  /** Set for messages: they are dropped when the reader may not have them any more. */
  chatId?: string;
}

/**
 * What is on its way to one reader. Everything that is pushed within one turn of the event loop goes out in one frame, and
 * the next frame is made only when the reader has taken the one before.
 */
export class OutboundBuffer {
  readonly #options: OutboundBufferOptions;
  #queue: Queued[] = [];
  #bytes = 0;
  #ended = false;
  #onReady: (() => void) | undefined;
  #waking = false;
  #wakeWriters: (() => void)[] = [];

  constructor(options: OutboundBufferOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether messages may be pushed. Answers to commands may always: whoever reads commands waits for room first. */
  get hasRoom(): boolean {
    return this.#bytes < this.#options.maxBytes;
  }

  /** Does nothing once the outbound has ended. */
  push(frame: Frame, chatId?: string): void {
    if (this.#ended) return;
    this.#queue.push({ frame, chatId });
    this.#bytes += frame.bytes.length;
    this.#wake();
  }

  /** Resolves when most of it has been taken, or when it has ended. */
  async whenRoom(): Promise<void> {
    while (this.#bytes > this.#options.maxBytes / 4 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wakeWriters.push(resolve);
      });
    }
  }

  /** Drops the chat's messages that have not been taken yet. */
  drop(chatId: string): void {
    this.#queue = this.#queue.filter((queued) => queued.chatId !== chatId);
    this.#count();
  }

  /** Drops every message that has not been taken yet. */
  dropMessages(): void {
    this.#queue = this.#queue.filter((queued) => queued.chatId === undefined);
    this.#count();
  }

  /** What has been pushed is still delivered. */
  end(): void {
    this.#ended = true;
    this.#wake();
    this.#releaseWriters();
  }

  /** Whether it has ended and everything has been taken. */
  get finished(): boolean {
    return this.#ended && this.#queue.length === 0;
  }

  /**
   * Calls the one reader at the end of each turn of the event loop in which something was pushed, or in which it ended; and now, if
   * that has happened already.
   */
  onReady(reader: () => void): void {
    this.#onReady = reader;
    if (this.#ended || this.#queue.length > 0) reader();
  }

  /** The next frame; undefined if there is nothing at the moment. */
  take(): Frame | undefined {
    if (this.#queue.length === 0) return undefined;
    // What almost always is all there is.
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

  /** Not at once: what else happens in this turn shall be in the same frame. */
  #wake(): void {
    if (this.#waking || !this.#onReady) return;
    this.#waking = true;
    OutboundBuffer.#woken.push(this);
    if (OutboundBuffer.#woken.length === 1) setImmediate(OutboundBuffer.#flush);
  }

  /** One timer for all that were woken in a turn: there are as many as readers. */
  static #woken: OutboundBuffer[] = [];
  static readonly #flush = () => {
    const woken = OutboundBuffer.#woken;
    OutboundBuffer.#woken = [];
    for (const outbound of woken) {
      outbound.#waking = false;
      outbound.#onReady?.();
    }
  };

  #releaseWriters(): void {
    if (this.#bytes > this.#options.maxBytes / 4 && !this.#ended) return;
    for (const wake of this.#wakeWriters.splice(0)) wake();
  }

  #count(): void {
    this.#bytes = this.#queue.reduce((sum, { frame }) => sum + frame.bytes.length, 0);
    this.#releaseWriters();
  }
}
