import { type Expression, type RawBuilder, sql } from 'kysely';
import type { ReactionCount } from '../../../model/reaction.ts';
import type { MessageRow } from './message-row.ts';

/** A message with the numbers of its reactions; null: it has none. */
export type ReactedMessageRow = MessageRow & { reactions: ReactionCount[] | null };

interface Reading {
  chatId: string;
  /** Whose reactions are marked; undefined: nobody's. */
  userId: string | undefined;
  order: 'asc' | 'desc';
}

/** Adds to a page of messages of a chat how many users have reacted to each. */
export function withReactions(
  page: Expression<MessageRow>,
  { chatId, userId, order }: Reading,
): RawBuilder<ReactedMessageRow> {
  return sql<ReactedMessageRow>`
    with page as materialized (${page})
    select page.*, r.reactions from page left join (
      select k.message_seq, jsonb_agg(jsonb_build_object('emoji', k.emoji, 'count', k.count, 'seq', k.seq, 'own', exists (
        select from reactions o
        where o.chat_id = k.chat_id and o.message_seq = k.message_seq and o.emoji = k.emoji and o.user_id = ${userId ?? null} and o.active
      )) order by k.first_seq) as reactions
      from reaction_counts k
      where k.chat_id = ${chatId} and k.count > 0
        and k.message_seq between (select min(seq) from page) and (select max(seq) from page)
      group by k.message_seq
    ) r on r.message_seq = page.seq
    order by page.seq ${sql.raw(order)}`;
}
