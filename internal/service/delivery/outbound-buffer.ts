import { Frame } from '../../model/frame.ts';

export interface OutboundBufferOptions {
  /** Bytes from which on no more messages may be pushed. */
  maxBytes: number;
  /** Bytes of a joined frame at the most; a single frame that is larger is taken as it is. */
  maxFrameBytes: number;
}

/** Is called when the buffer has something to take. */
export interface OutboundReader {
  onReady(): void;
}

interface Queued {
  frame: Frame;
  /** Set for what only members may read: `drop` takes it out when the membership ends. */
  chatId: string | undefined;
  next: Queued | undefined;
}

/**
 * The frames that wait for one reader. All frames pushed within one turn of the event loop are taken as one, and what is pushed while the
 * reader is busy joins the next.
 */
export class OutboundBuffer {
  readonly #options: OutboundBufferOptions;
  // A list, as an array keeps memory for frames while the buffer is empty, and there is a buffer for each stream.
  #first: Queued | undefined;
  #last: Queued | undefined;
  #bytes = 0;
  #ended = false;
  #reader: OutboundReader | undefined;
  #waking = false;
  /** Absent while no writer waits. */
  #waitingForRoom: (() => void)[] | undefined;

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
    this.#append({ frame, chatId, next: undefined });
    this.#wake();
  }

  /** Resolves when at most a quarter of `maxBytes` is left, or when the buffer has ended. */
  async whenRoom(): Promise<void> {
    while (this.#bytes > this.#options.maxBytes / 4 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#waitingForRoom ??= [];
        this.#waitingForRoom.push(resolve);
      });
    }
  }

  /** Drops the chat's frames. */
  drop(chatId: string): void {
    this.#keep((queued) => queued.chatId !== chatId);
  }

  /** Drops the frames of every chat. Answers to commands remain. */
  dropMessages(): void {
    this.#keep((queued) => queued.chatId === undefined);
  }

  /** Takes no further frames. Those that were pushed can still be taken. Twice is harmless. */
  end(): void {
    this.#ended = true;
    this.#wake();
    this.#releaseWriters();
  }

  /** Whether the buffer has ended and its last frame was taken. */
  get finished(): boolean {
    return this.#ended && !this.#first;
  }

  /**
   * Calls the reader at the end of each turn of the event loop in which a frame was pushed or the buffer ended; and at once, if that has
   * happened already. There is one reader: a second call replaces the first.
   */
  readBy(reader: OutboundReader): void {
    this.#reader = reader;
    if (this.#ended || this.#first) reader.onReady();
  }

  /** The next frame, joined of as many as `maxFrameBytes` allows; undefined if the buffer is empty. */
  take(): Frame | undefined {
    const first = this.#first;
    if (!first) return undefined;
    const frames = [first.frame];
    let bytes = first.frame.bytes.length;
    let next = first.next;
    for (; next && bytes + next.frame.bytes.length <= this.#options.maxFrameBytes; next = next.next) {
      frames.push(next.frame);
      bytes += next.frame.bytes.length;
    }
    this.#first = next;
    if (!next) this.#last = undefined;
    this.#bytes -= bytes;
    this.#releaseWriters();
    return Frame.join(frames);
  }

  #append(queued: Queued): void {
    if (this.#last) this.#last.next = queued;
    else this.#first = queued;
    this.#last = queued;
    this.#bytes += queued.frame.bytes.length;
  }

  #keep(isKept: (queued: Queued) => boolean): void {
    let next = this.#first;
    this.#first = undefined;
    this.#last = undefined;
    this.#bytes = 0;
    for (; next; next = next.next) if (isKept(next)) this.#append({ ...next, next: undefined });
    this.#releaseWriters();
  }

  /** Calls the reader at the end of the turn, so that everything that is pushed in this turn goes into one frame. */
  #wake(): void {
    if (this.#waking || !this.#reader) return;
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
      buffer.#reader?.onReady();
    }
  };

  #releaseWriters(): void {
    if (this.#bytes > this.#options.maxBytes / 4 && !this.#ended) return;
    const waiting = this.#waitingForRoom;
    this.#waitingForRoom = undefined;
    for (const wake of waiting ?? []) wake();
  }
}
