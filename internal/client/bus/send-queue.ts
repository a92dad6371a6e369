import type { BusMessage } from './link.ts';

export interface SendQueueOptions {
  /** The most bytes that are queued or being sent. Beyond that, `push` refuses messages. */
  maxBytes: number;
  /** The most batches that are being sent at the same time. */
  maxInFlight: number;
  /** The most bytes in a batch. A single longer message is a batch of its own. */
  maxBatchBytes: number;
}

/** Bytes that each message counts in addition to its content, so that the number of tiny messages is bounded too. */
const parcelOverheadBytes = 256;

/** Sends messages in batches: those of one turn of the event loop together, and those that arrive while earlier batches are being sent. */
export class SendQueue<P extends BusMessage> {
  readonly #send: (batch: readonly P[]) => Promise<void>;
  readonly #options: SendQueueOptions;
  #waiting: P[] = [];
  #bytes = 0;
  #inFlight = new Set<Promise<void>>();
  #scheduled = false;

  /** `send` must not reject. The queue does not retry. */
  constructor(send: (batch: readonly P[]) => Promise<void>, options: SendQueueOptions) {
    this.#send = send;
    this.#options = options;
  }

  /** Queues a message. Returns false, and drops it, if the queue is full. */
  push(message: P): boolean {
    const bytes = sizeOf(message);
    if (this.#bytes + bytes > this.#options.maxBytes) return false;
    this.#bytes += bytes;
    this.#waiting.push(message);
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#flush();
      });
    }
    return true;
  }

  /** Resolves when the queue is empty and no batch is being sent. */
  async sent(): Promise<void> {
    while (this.#waiting.length > 0 || this.#inFlight.size > 0) {
      this.#flush();
      await Promise.race(this.#inFlight);
    }
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#inFlight.size < this.#options.maxInFlight) {
      const { batch, bytes } = this.#take();
      const sending = this.#send(batch).then(() => {
        this.#bytes -= bytes;
        this.#inFlight.delete(sending);
        this.#flush();
      });
      this.#inFlight.add(sending);
    }
  }

  #take(): { batch: readonly P[]; bytes: number } {
    let bytes = 0;
    let count = 0;
    for (const message of this.#waiting) {
      if (count > 0 && bytes + sizeOf(message) > this.#options.maxBatchBytes) break;
      bytes += sizeOf(message);
      count += 1;
    }
    const batch = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    return { batch, bytes };
  }
}

function sizeOf({ bytes }: BusMessage): number {
  return bytes.length + parcelOverheadBytes;
}
