import type { WebSocket } from 'ws';

export interface IncomingFrame {
  data: Buffer;
  binary: boolean;
}

/** Frames that have come but were not read yet, and their bytes; the socket is not read from while there are more. */
const maxWaiting = 16;
const maxWaitingBytes = 1_048_576;

/** The frames of one socket, in order. A client that sends faster than its commands are carried out is made to wait. */
export class IncomingFrames {
  readonly #socket: WebSocket;
  #waiting: IncomingFrame[] | undefined;
  #waitingBytes = 0;
  #ended = false;
  #taker: ((frame: IncomingFrame | undefined) => void) | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer, binary: boolean) => this.#came({ data, binary }));
    socket.once('close', () => {
      this.#ended = true;
      this.#give(undefined);
    });
  }

  /** The next frame; undefined once the socket has closed. For one caller at a time. */
  next(): Promise<IncomingFrame | undefined> {
    const frame = this.#waiting?.shift();
    this.#waitingBytes -= frame?.data.length ?? 0;
    const few = (this.#waiting?.length ?? 0) < maxWaiting / 2 && this.#waitingBytes < maxWaitingBytes;
    if (few && this.#socket.isPaused) this.#socket.resume();
    if (frame || this.#ended) return Promise.resolve(frame);
    // An idle socket holds no more than this.
    this.#waiting = undefined;
    return new Promise((resolve) => {
      this.#taker = resolve;
    });
  }

  #came(frame: IncomingFrame): void {
    if (this.#give(frame)) return;
    this.#waiting ??= [];
    this.#waiting.push(frame);
    this.#waitingBytes += frame.data.length;
    if (this.#waiting.length >= maxWaiting || this.#waitingBytes >= maxWaitingBytes) this.#socket.pause();
  }

  #give(frame: IncomingFrame | undefined): boolean {
    const taker = this.#taker;
    this.#taker = undefined;
    taker?.(frame);
    return taker !== undefined;
  }
}
