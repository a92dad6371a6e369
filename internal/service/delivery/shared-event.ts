import type { Event } from '../../model/event.ts';
import type { EventEncoder } from '../../model/event-encoder.ts';
import type { Frame } from '../../model/frame.ts';

/** An event that many readers are given. Its frame is made at most once, and is freed with it. */
export class SharedEvent<Shared extends Event = Event> {
  /** Never change it. */
  readonly event: Shared;
  #encoded: { by: EventEncoder; frame: Frame } | undefined;

  constructor(event: Shared) {
    this.event = event;
  }

  /** The same frame for every reader. A process has one encoder, and only the last one's frame is kept. */
  frame(encoder: EventEncoder): Frame {
    if (this.#encoded?.by !== encoder) this.#encoded = { by: encoder, frame: encoder.encode(this.event) };
    return this.#encoded.frame;
  }
}
