import { sql } from 'kysely';
import { maxUnreadCount } from './unread-count.ts';

/**
 * Counts the unread messages that mention the user, by id or as everyone, up to `maxUnreadCount`. For a query with the user's membership as `own` and its
 * chat as `c`; 0 if there is no membership.
 */
export function mentionCount(userId: string) {
  return sql<number>`case when own.user_id is null then 0 else (
    select count(*)::integer from (
      select distinct mention.seq from mentions as mention
      where mention.chat_id = c.id and mention.user_id in (${userId}, '')
        and mention.seq > greatest(own.read_seq, own.joined_seq)
        and mention.sender_id <> ${userId} and not mention.silent
      limit ${maxUnreadCount}) as counted) end`;
}
