import { type RawBuilder, sql } from 'kysely';
import { maxUnreadCount } from '../members/unread-count.ts';

interface Of {
  readSeq: RawBuilder<unknown>;
  /** By default, of the membership `own`. */
  joinedSeq?: RawBuilder<unknown>;
  userId: string;
}

/**
 * Counts the unread messages of a thread that a user follows, up to `maxUnreadCount`: those of others, without silent and deleted ones, after the read
 * mark and since the user joined. For a query with the row of `thread_follows` as `f`.
 */
export function threadUnreadCount({ readSeq, joinedSeq = sql`own.joined_seq`, userId }: Of) {
  return sql<number>`(
    select count(*)::integer from (
      select from messages as unread
      where unread.chat_id = f.chat_id and unread.root_seq = f.root_seq
        and unread.seq > greatest(${readSeq}, ${joinedSeq}) and unread.sender_id <> ${userId}
        and unread.deleted_at is null and unread.silent is not true
      limit ${maxUnreadCount}) as counted)`;
}
