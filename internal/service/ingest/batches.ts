import type { LogEntry } from '../../client/ingest/ingest-log.ts';
import type { AcceptedMessage } from '../../model/message.ts';
import { repetitionKey } from '../writing/repetition-key.ts';

export type ReadableEntry = LogEntry & { message: AcceptedMessage };

/**
 * Divides entries into batches, in order. No batch has a message (chat, sender, clientMessageId) twice, nor one that refers to another one of the batch:
 * the database finds only what was written before. An entry that cannot be decoded is not in a batch.
 */
export function toBatches(entries: readonly LogEntry[]): (ReadableEntry[] | LogEntry)[] {
  const batches: (ReadableEntry[] | LogEntry)[] = [];
  let batch: ReadableEntry[] = [];
  /** Of the messages in the batch: their ids, and what makes them unique. */
  let keys = new Set<string>();
  const close = () => {
    if (batch.length > 0) batches.push(batch);
    batch = [];
    keys = new Set();
  };
  for (const entry of entries) {
    if (!isReadable(entry)) {
      close();
      batches.push(entry);
      continue;
    }
    const { id, replyToId = '', rootId = '' } = entry.message;
    const key = repetitionKey(entry.message);
    if ([key, replyToId, rootId].some((other) => keys.has(other))) close();
    keys.add(key).add(id);
    batch.push(entry);
  }
  close();
  return batches;
}

function isReadable(entry: LogEntry): entry is ReadableEntry {
  return entry.message !== undefined;
}
