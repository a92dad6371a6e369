import type { WebSocket } from 'ws';
import { ChatError } from '../../model/errors.ts';
import type { Inbox } from '../../service/sessions/inbox.ts';
import type { ReadCommand } from '../shared/streams/command-reader.ts';
import type { FrameCodec } from './frame-codec.ts';

interface IncomingFrame {
  data: Buffer;
  binary: boolean;
}

/** The socket is paused while as many received frames, or bytes of them, wait to be taken. */
const maxWaiting = 16;
const maxWaitingBytes = 1_048_576;

/** Queues the frames that one socket receives, in order. Pauses the socket when the client sends faster than its commands run. */
export class IncomingFrames implements Inbox<readonly ReadCommand[]> {
  readonly #socket: WebSocket;
  readonly #codec: FrameCodec;
  /** Undefined while empty, so that an idle socket holds no array. */
  #waiting: IncomingFrame[] | undefined;
  #waitingBytes = 0;
  #returned: readonly ReadCommand[] | undefined;
  #closed = false;
  #onReady: (() => void) | undefined;

  constructor(socket: WebSocket, codec: FrameCodec) {
    this.#socket = socket;
    this.#codec = codec;
  }

  get ended(): boolean {
    return this.#closed && !this.#waiting && !this.#returned;
  }

  /** Decodes the next frame. Throws ChatError: MALFORMED_FRAME; FRAME_LIMIT, without decoding, if it has more than `maxBytes`. */
  take(maxBytes = Number.POSITIVE_INFINITY): readonly ReadCommand[] | undefined {
    const returned = this.#returned;
    this.#returned = undefined;
    if (returned) return returned;
    const frame = this.#waiting?.shift();
    if (this.#waiting?.length === 0) this.#waiting = undefined;
    this.#waitingBytes -= frame?.data.length ?? 0;
    const few = (this.#waiting?.length ?? 0) < maxWaiting / 2 && this.#waitingBytes < maxWaitingBytes;
    if (few && this.#socket.isPaused) this.#socket.resume();
    if (frame && frame.data.length > maxBytes) {
      throw new ChatError('FRAME_LIMIT', `a frame may have at most ${maxBytes} bytes here`);
    }
    return frame && this.#decode(frame);
  }

  /** Makes the next `take` return `commands`. */
  giveBack(commands: readonly ReadCommand[]): void {
    this.#returned = commands;
  }

  onReady(reader: () => void): void {
    this.#onReady = reader;
    if (this.#closed || this.#waiting || this.#returned) reader();
  }

  /** Queues a message that the socket has received. */
  came(data: Buffer, binary: boolean): void {
    this.#waiting ??= [];
    this.#waiting.push({ data, binary });
    this.#waitingBytes += data.length;
    this.#onReady?.();
    if ((this.#waiting?.length ?? 0) >= maxWaiting || this.#waitingBytes >= maxWaitingBytes) this.#socket.pause();
  }

  /** Ends the inbox once the queued frames have been taken: the socket has closed. */
  close(): void {
    this.#closed = true;
    this.#onReady?.();
  }

  #decode({ data, binary }: IncomingFrame): readonly ReadCommand[] {
    if (binary === this.#codec.binary) return this.#codec.decode(data);
    throw new ChatError('MALFORMED_FRAME', `frames of this sub-protocol are ${this.#codec.binary ? 'binary' : 'text'}`);
  }
}
