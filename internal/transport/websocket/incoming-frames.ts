import type { WebSocket } from 'ws';

/** Frames that have come but were not read yet; the socket is not read from while there are more. */
const maxWaiting = 16;

/** The frames of one socket, in order. A client that sends faster than its commands are carried out is made to wait. */
export class IncomingFrames {
  readonly #socket: WebSocket;
  readonly #waiting: { data: Buffer; binary: boolean }[] = [];
  #ended = false;
  #wake = () => {};

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer, binary: boolean) => {
      this.#waiting.push({ data, binary });
      if (this.#waiting.length >= maxWaiting) socket.pause();
      this.#wake();
    });
    socket.once('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** The next frame; undefined once the socket has closed. For one caller at a time. */
  async next(): Promise<{ data: Buffer; binary: boolean } | undefined> {
    while (this.#waiting.length === 0) {
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#socket.isPaused && this.#waiting.length < maxWaiting / 2) this.#socket.resume();
    return this.#waiting.shift();
  }
}
