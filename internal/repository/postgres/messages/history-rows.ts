import { type Expression, sql } from 'kysely';
import type { Message } from '../../../model/message.ts';
import type { MessagePage } from '../../../model/message-page.ts';
import type { ReactionCount } from '../../../model/reaction.ts';
import type { ThreadSummary } from '../../../model/thread.ts';
import type { Reader } from '../../guard.ts';
import type { HistoryRange } from '../../message-repository.ts';
import { type MessageRow, messageColumns, toMessage } from './message-row.ts';

/** A row of a page, of the thread's root, or of a message that one of them replies to. */
export interface HistoryRow extends MessageRow {
  part: 'root' | 'page' | 'referenced';
  /** A row of `threads` as JSON. */
  thread: {
    reply_count: number;
    last_seq: number;
    last_at: string | null;
    update_seq: number;
    participants: string[];
  } | null;
  /** How many users have reacted; null if nobody has. */
  reactions: ReactionCount[] | null;
}

/** The columns of messages, for raw SQL. */
export const columnsOf = (table: string) => sql.join(messageColumns.map((column) => sql.ref(`${table}.${column}`)));

/** Selects a page of the messages that `where` chooses, and one message more. */
export function selectPage(chatId: string, range: HistoryRange, limit: number, where = sql``): Expression<MessageRow> {
  const forwards = typeof range === 'object' && 'afterSeq' in range;
  const within =
    range === 'newest' ? sql`` : forwards ? sql`and m.seq > ${range.afterSeq}` : sql`and m.seq < ${range.beforeSeq}`;
  return sql`
    select ${columnsOf('m')} from messages m
    where m.chat_id = ${chatId} and not m.hidden ${within} ${where}
    order by m.seq ${forwards ? sql`asc` : sql`desc`} limit ${limit + 1}`;
}

/**
 * Completes a query whose common table expression `shown` has messages of one chat and the column `part`: adds the summaries of their threads, how many
 * users have reacted to them (with those of the reader marked), and the messages that they reply to. Ordered by part and number.
 */
export function completed(chatId: string, reader: Reader | undefined): Expression<HistoryRow> {
  return sql`
    select s.*, to_json(t) as thread, c.reactions
    from shown s
    left join threads t on t.chat_id = ${chatId} and t.root_seq = s.seq
    left join (
      select k.message_seq, jsonb_agg(jsonb_build_object('emoji', k.emoji, 'count', k.count, 'seq', k.seq, 'own', exists (
        select from reactions o where o.chat_id = k.chat_id and o.message_seq = k.message_seq and o.emoji = k.emoji
          and o.user_id = ${reader?.userId ?? null} and o.active
      )) order by k.first_seq) as reactions
      from reaction_counts k
      where k.chat_id = ${chatId} and k.count > 0
        and k.message_seq between (select min(seq) from shown) and (select max(seq) from shown)
      group by k.message_seq
    ) c on c.message_seq = s.seq
    union all
    select ${columnsOf('m')}, 'referenced' as part, null as thread, null as reactions
    from (select distinct reply_to_seq as seq from shown where reply_to_seq is not null) r
    join messages m on m.chat_id = ${chatId} and m.seq = r.seq
    where r.seq not in (select seq from shown)
    order by part desc, seq`;
}

export function toMessageWithThread(row: HistoryRow): Message {
  const message = toMessage(row);
  return row.thread ? { ...message, thread: toThreadSummary(row.thread) } : message;
}

function toThreadSummary(row: NonNullable<HistoryRow['thread']>): ThreadSummary {
  return {
    replyCount: row.reply_count,
    lastSeq: row.last_seq,
    ...(row.last_at !== null && { lastAt: new Date(row.last_at) }),
    participantIds: row.participants,
    updateSeq: row.update_seq,
  };
}

/** Makes a page of `limit` messages of the rows of a query of `selectPage`, completed. */
export function toMessagePage(rows: readonly HistoryRow[], range: HistoryRange, limit: number): MessagePage {
  const found = rows.filter(({ part }) => part === 'page').map(toMessageWithThread);
  const forwards = typeof range === 'object' && 'afterSeq' in range;
  const hasMore = found.length > limit;
  const messages = forwards ? found.slice(0, limit) : found.slice(hasMore ? 1 : 0);
  const root = rows.filter(({ part }) => part === 'root');
  return { messages, hasMore, referenced: referencedBy([...root.map(toMessage), ...messages], rows) };
}

/** Returns the messages that `messages` reply to and that are not among them. The one message more may be one of those. */
export function referencedBy(messages: readonly Message[], rows: readonly HistoryRow[]): Message[] {
  const own = new Set(messages.map(({ seq }) => seq));
  const wanted = new Set(messages.flatMap(({ replyTo }) => (replyTo && !own.has(replyTo.seq) ? [replyTo.seq] : [])));
  return rows
    .filter(({ seq }) => wanted.has(seq))
    .map(toMessage)
    .toSorted((one, other) => one.seq - other.seq);
}
