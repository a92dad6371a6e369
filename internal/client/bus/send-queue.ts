import type { BusMessage } from './link.ts';

export interface SendQueueOptions {
  /** Bytes that may wait or be on their way; beyond that nothing is taken. */
  maxBytes: number;
  /** Batches on their way at the same time. */
  maxInFlight: number;
  maxBatchBytes: number;
}

/** Counts for a message beside its bytes, so that tiny ones are bounded too. */
const parcelOverheadBytes = 256;

/** Sends messages in batches: what comes in one turn of the event loop, and while earlier batches are on their way. */
export class SendQueue<P extends BusMessage> {
  readonly #send: (batch: readonly P[]) => Promise<void>;
  readonly #options: SendQueueOptions;
  #waiting: P[] = [];
  #bytes = 0;
  #inFlight = new Set<Promise<void>>();
  #scheduled = false;

  /** `send` never throws: what it cannot send is lost. */
  constructor(send: (batch: readonly P[]) => Promise<void>, options: SendQueueOptions) {
    this.#send = send;
    this.#options = options;
  }

  /** Whether there was room for it. */
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

  /** Resolves when all that was pushed has been sent. */
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
