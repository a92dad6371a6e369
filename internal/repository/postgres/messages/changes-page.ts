import { type RawBuilder, sql } from 'kysely';
import { Batch } from '../../../model/batch.ts';
import type { Complete } from '../../../model/complete.ts';
import { charsOf, type Entry, seqOf } from '../../../model/entry.ts';
import type { ReactionChange } from '../../../model/reaction.ts';
import type { ChangesPage } from '../../message-repository.ts';
import { type MessageRow, toMessage } from './message-row.ts';
import { maxPageChars } from './page-chars.ts';

/**
 * How many changes are read for each entry of a page. Most changes of a message that changes often have been replaced; the more of them one page
 * covers, the fewer pages a reader needs.
 */
export const changesPerEntry = 5;

/** A message, a change with its message or reaction, or a change alone if a later one has replaced it. Without either: the chat has nothing after the cursor. */
export type EntryRow = { last_seq: number; change_seq: number | null; reaction: ReactionJson | null } & (
  | MessageRow
  | { [K in keyof MessageRow]: null }
);

/** What `reactionUnder` reads. */
interface ReactionJson {
  message_id: string;
  message_seq: number;
  user_id: string;
  user_name: string;
  emoji: string;
  added: boolean;
  changed_at: string;
  count: number;
  count_seq: number;
}

/** Reads the reaction that the change `e` has left; null if a later change has replaced it. */
export function reactionUnder(chatId: string): RawBuilder<ReactionJson | null> {
  return sql<ReactionJson | null>`(
    select jsonb_build_object('message_id', t.id, 'message_seq', t.seq, 'user_id', r.user_id, 'user_name', r.user_name, 'emoji', r.emoji,
      'added', r.active, 'changed_at', r.changed_at, 'count', k.count, 'count_seq', k.seq)
    from reactions r
    join messages t on t.chat_id = r.chat_id and t.seq = r.message_seq
    join reaction_counts k on k.chat_id = r.chat_id and k.message_seq = r.message_seq and k.emoji = r.emoji
    where r.chat_id = ${chatId} and r.seq = e.seq)`;
}

interface Wanted {
  chatId: string;
  afterSeq: number;
  limit: number;
  lastSeq: number;
}

/**
 * Makes a page of the next `limit` messages and the next `limit * changesPerEntry` changes, in the order of their numbers: of the entries up to the
 * number up to which both are complete. A page has fewer if the texts are long.
 */
export function toPage(rows: readonly EntryRow[], { chatId, afterSeq, limit, lastSeq }: Wanted): ChangesPage {
  const known = completeUpTo(rows, limit, lastSeq);
  const entries: Entry[] = [];
  let covered = afterSeq;
  let chars = 0;
  let isFull = false;
  const coverUpTo = (seq: number) => {
    if (seq > covered) entries.push({ kind: 'covered', chatId, fromSeq: covered + 1, toSeq: seq });
  };
  for (const row of rows) {
    const entry = toEntry(row, chatId);
    if (!entry) continue;
    const seq = seqOf(entry);
    chars += charsOf(entry);
    isFull = entries.length >= limit || (chars > maxPageChars && entries.length > 0);
    if (seq > known || isFull) break;
    coverUpTo(seq - 1);
    entries.push(entry);
    covered = seq;
  }
  if (!isFull && entries.length < limit) coverUpTo(known);
  const batch = entries.length > 0 ? new Batch(entries) : Batch.empty;
  return { batch, lastSeq, hasMore: Math.max(batch.lastSeq, afterSeq) < lastSeq };
}

/** Returns undefined for a change that a later one has replaced, and for a hidden message. */
function toEntry(row: EntryRow, chatId: string): Entry | undefined {
  if (row.change_seq !== null && row.reaction)
    return { kind: 'reaction', reaction: toReaction(row.reaction, row.change_seq, chatId) };
  if (row.seq === null || (row.hidden !== false && row.change_seq === null)) return undefined;
  return { kind: row.change_seq === null ? 'message' : 'message_changed', message: toMessage(row) };
}

function toReaction(json: ReactionJson, seq: number, chatId: string): Complete<ReactionChange> {
  const { message_id: messageId, message_seq: messageSeq, emoji, added, count, count_seq } = json;
  return {
    ...{ chatId, messageId, messageSeq, seq, emoji, added },
    user: { id: json.user_id, name: json.user_name },
    createdAt: new Date(json.changed_at),
    count: { emoji, count, seq: count_seq, own: undefined },
  };
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
