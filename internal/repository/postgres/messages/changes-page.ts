import { Batch } from '../../../model/batch.ts';
import { type Entry, seqOf } from '../../../model/entry.ts';
import type { ChangesPage } from '../../message-repository.ts';
import { type MessageRow, toMessage } from './message-row.ts';

/**
 * How many changes are read for each entry of a page. Most changes of a message that changes often have been replaced; the more of them one page
 * covers, the fewer pages a reader needs.
 */
export const changesPerEntry = 5;

/** A message, a change with its message, or a change alone if a later one has replaced it. Without either: the chat has nothing after the cursor. */
export type EntryRow = { last_seq: number; change_seq: number | null } & (
  | MessageRow
  | { [K in keyof MessageRow]: null }
);

interface Wanted {
  chatId: string;
  afterSeq: number;
  limit: number;
  lastSeq: number;
}

/**
 * Makes a page of the next `limit` messages and the next `limit * changesPerEntry` changes, in the order of their numbers: of the entries up to the
 * number up to which both are complete.
 */
export function toPage(rows: readonly EntryRow[], { chatId, afterSeq, limit, lastSeq }: Wanted): ChangesPage {
  const known = completeUpTo(rows, limit, lastSeq);
  const entries: Entry[] = [];
  let covered = afterSeq;
  const coverUpTo = (seq: number) => {
    if (seq > covered) entries.push({ kind: 'covered', chatId, fromSeq: covered + 1, toSeq: seq });
  };
  for (const row of rows) {
    if (row.seq === null || (row.hidden !== false && row.change_seq === null)) continue;
    const message = toMessage(row);
    const entry: Entry = { kind: row.change_seq === null ? 'message' : 'message_changed', message };
    const seq = seqOf(entry);
    if (seq > known || entries.length >= limit) break;
    coverUpTo(seq - 1);
    entries.push(entry);
    covered = seq;
  }
  if (entries.length < limit) coverUpTo(known);
  const batch = entries.length > 0 ? new Batch(entries) : Batch.empty;
  return { batch, lastSeq, hasMore: Math.max(batch.lastSeq, afterSeq) < lastSeq };
}

/** Returns the number up to which the rows contain everything. */
function completeUpTo(rows: readonly EntryRow[], limit: number, lastSeq: number): number {
  const sent = rows.flatMap(({ seq, change_seq }) => (seq !== null && change_seq === null ? [seq] : []));
  const changed = rows.flatMap(({ change_seq }) => change_seq ?? []);
  return Math.min(
    sent.length < limit ? lastSeq : sent.at(-1)!,
    changed.length < limit * changesPerEntry ? lastSeq : changed.at(-1)!,
  );
}
