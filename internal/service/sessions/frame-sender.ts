import type { Counter } from '../../client/metrics/metrics.ts';
import type { Frame } from '../../model/frame.ts';
import type { OutboundBuffer, OutboundReader } from '../delivery/outbound-buffer.ts';

/** Writes one frame to the client. A returned promise resolves when the client has room for the next frame. */
export type FrameWriter = (frame: Frame) => Promise<void> | undefined;

/** Why frames can no longer be written. */
export interface WriteFailure {
  error: unknown;
}

interface Deps {
  outbound: OutboundBuffer;
  write: FrameWriter;
  /** Called once: when the buffer has ended and its last frame was written, or when a write failed. Never called after `stop`. */
  onFinished: () => void;
  /** Counts the frames. */
  sent?: Counter<never>;
}

/**
 * Writes the frames of one stream's outbound buffer, one after the other. While the promise of a write is pending no frame is taken from the
 * buffer, so that a slow client fills the buffer and not the transport.
 */
export class FrameSender implements OutboundReader {
  readonly #outbound: OutboundBuffer;
  readonly #write: FrameWriter;
  readonly #onFinished: () => void;
  readonly #sent: Counter<never> | undefined;
  #writing = false;
  #stopped = false;
  #failure: WriteFailure | undefined;

  constructor({ outbound, write, onFinished, sent }: Deps) {
    this.#outbound = outbound;
    this.#write = write;
    this.#onFinished = onFinished;
    this.#sent = sent;
  }

  /** Writes what is in the buffer now, and then at the end of each turn of the event loop that adds something to it. Call once. */
  start(): void {
    this.#outbound.readBy(this);
  }

  /** Set once a write has failed. */
  get failure(): WriteFailure | undefined {
    return this.#failure;
  }

  /** Writes nothing more. Twice is harmless. */
  stop(): void {
    this.#stopped = true;
  }

  /** For the outbound buffer. */
  onReady(): void {
    try {
      while (!this.#stopped && !this.#writing) {
        const frame = this.#outbound.take();
        if (!frame) break;
        this.#sent?.add(1);
        const written = this.#write(frame);
        if (written) this.#waitFor(written);
      }
      if (this.#outbound.finished && !this.#writing) this.#finish();
    } catch (error) {
      this.#finish({ error });
    }
  }

  #waitFor(written: Promise<void>): void {
    this.#writing = true;
    written.then(
      () => {
        this.#writing = false;
        this.onReady();
      },
      (error: unknown) => this.#finish({ error }),
    );
  }

  #finish(failure?: WriteFailure): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#failure = failure;
    this.#onFinished();
  }
}
