import {
  chatIdOf,
  type EventSink,
  type ExportedEvent,
  type LastEvent,
  numberOf,
  OtherEpoch,
  Superseded,
} from './event-sink.ts';
import { type OrderedLog, PositionConflict } from './ordered-log.ts';

type Place = Pick<LastEvent, 'number' | 'position'>;

/**
 * Delivers events to an ordered log. The log's positions make the sink stronger than it must be: two relays that both believe that they have a chat
 * cannot put its events out of order, and events that the log has already are not appended again. A position that the log does not have any more shows
 * that the database, and the cursor with it, has gone back.
 */
export class OrderedLogSink implements EventSink {
  readonly #log: OrderedLog;
  readonly #erase: boolean;

  /** `erase`: when a message is deleted, its earlier events are erased before the deletion counts as delivered. */
  constructor(log: OrderedLog, { erase }: { erase: boolean }) {
    this.#log = log;
    this.#erase = erase;
  }

  async deliver(events: readonly ExportedEvent[], position: number, epoch: string, replay = 0): Promise<number> {
    let last: Place = { position, number: -1 };
    for (const event of events) {
      if (numberOf(event) > last.number) last = await this.#append(event, last.position, epoch, replay);
    }
    const deleted = events.flatMap((event) => ('message' in event && event.message.deletion ? event.message.seq : []));
    if (this.#erase && deleted.length > 0) await this.#log.erase(chatIdOf(events[0]!), new Set(deleted));
    // The log may be ahead of these events. Its last position is then no place for the events that follow these: 0 has the next delivery look again.
    const isAhead = last.number > numberOf(events.at(-1)!);
    return isAhead ? 0 : last.position;
  }

  findOldestChanged(chatId: string, afterSeq: number): Promise<number | undefined> {
    return this.#log.findOldestChanged(chatId, afterSeq);
  }

  lastEvents(): AsyncIterable<LastEvent> {
    return this.#log.lastEvents();
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  /** Returns the chat's last event in the log: this one, or a later one. */
  async #append(event: ExportedEvent, after: number, epoch: string, replay: number): Promise<Place> {
    const number = numberOf(event);
    try {
      return { number, position: await this.#log.append(event, after, epoch, replay) };
    } catch (error) {
      if (!(error instanceof PositionConflict)) throw error;
      const last = await this.#log.findLast(chatIdOf(event));
      if (last && last.epoch !== epoch) throw new OtherEpoch(last);
      if (last && last.replay > replay) throw new Superseded('a later replay of the chat has begun');
      // A relay delivered it before in this replay, and stopped before it could move its cursor.
      if (last && last.replay === replay && last.number >= number) return last;
      // The events before are at other positions than the cursor says: the log was created anew, or they were removed by age.
      return { number, position: await this.#log.append(event, last?.position ?? 0, epoch, replay) };
    }
  }
}
