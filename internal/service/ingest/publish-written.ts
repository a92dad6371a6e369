import type { Logger } from 'pino';
import type { Bus } from '../../client/bus/bus.ts';
import type { Appended } from '../../repository/message-repository.ts';
import { type WrittenCounters, WrittenEntries } from '../writing/written-entries.ts';
import type { ReadableEntry } from './batches.ts';

interface Deps {
  bus: Bus;
  log: Logger;
  counters: WrittenCounters;
}

/**
 * Publishes the messages of a batch that are in the database now, chat by chat, and logs those whose chat has been deleted. `repeated`: the batch was
 * tried before. An earlier attempt may have been committed without its messages being published, so repeated messages are published as well.
 */
export function publishWritten(
  { bus, log, counters }: Deps,
  batch: readonly ReadableEntry[],
  outcomes: readonly Appended[],
  repeated: boolean,
): void {
  const written = new WrittenEntries(counters);
  for (const [i, { message }] of batch.entries()) {
    const { outcome } = outcomes[i]!;
    const { id, chatId } = message;
    if (outcome === 'stored') {
      written.addStored(message, outcomes[i]!);
    } else if (outcome === 'repeated') {
      if (repeated) written.addRepeated(message, outcomes[i]!);
    } else if (outcome === 'chat_not_found') {
      log.warn({ chatId, messageId: id }, 'an accepted message was dropped: its chat has been deleted');
    }
  }
  written.publish(bus);
}
