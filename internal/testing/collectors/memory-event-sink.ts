import { chatIdOf, type EventSink, type ExportedEvent, type LastEvent } from '../../client/sinks/event-sink.ts';

/** A sink that is not an ordered log, like a webhook: it keeps every event it gets, in the order of delivery. */
export class MemoryEventSink implements EventSink {
  /** While set, deliveries fail. */
  isAway = false;
  readonly #events: ExportedEvent[] = [];

  async deliver(events: readonly ExportedEvent[]): Promise<number> {
    if (this.isAway) throw new Error('the sink is unreachable');
    this.#events.push(...events);
    return 0;
  }

  /** The events of a chat, in the order of delivery. */
  of(chatId: string): ExportedEvent[] {
    return this.#events.filter((event) => chatIdOf(event) === chatId);
  }

  async findOldestChanged(): Promise<undefined> {}

  async *lastEvents(): AsyncGenerator<LastEvent> {}

  async close(): Promise<void> {}
}
