import { chatIdOf, type EventSink, type ExportedEvent } from '../../client/sinks/event-sink.ts';

/** A sink without a log of its own, as a webhook is: it takes what it is given. */
export class MemoryEventSink implements EventSink {
  /** Deliveries fail while this is set. */
  isAway = false;
  readonly #events: ExportedEvent[] = [];

  async deliver(events: readonly ExportedEvent[]): Promise<number> {
    if (this.isAway) throw new Error('the sink is away');
    this.#events.push(...events);
    return 0;
  }

  /** The events of a chat, in the order in which they came. */
  of(chatId: string): ExportedEvent[] {
    return this.#events.filter((event) => chatIdOf(event) === chatId);
  }

  async close(): Promise<void> {}
}
