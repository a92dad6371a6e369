import { sql } from 'kysely';

/** Unread messages are counted up to this number: a count of all of them takes as long as there are many. */
export const maxUnreadCount = 1_000;

/**
 * Counts the user's unread messages, up to `maxUnreadCount`: those of others, without system messages, silent and deleted ones, after the read mark and since
 * the user joined. For a query with the user's membership as `own` and its chat as `c`; 0 if there is no membership.
 */
export function unreadCount(userId: string) {
  return sql<number>`case when own.user_id is null then 0 else (
    select count(*)::integer from (
      select from messages as unread
      where unread.chat_id = c.id and unread.seq > greatest(own.read_seq, own.joined_seq)
        and unread.sender_id <> ${userId} and unread.system is null
        and unread.deleted_at is null and unread.silent is not true
      limit ${maxUnreadCount}) as counted) end`;
}
