import { type Expression, type Kysely, sql } from 'kysely';
import type { ChatType } from '../../../model/chat.ts';
import type { ChatRole } from '../../../model/member.ts';
import type { Reader } from '../../guard.ts';
import { chatNotFound } from './chat-not-found.ts';
import type { Tables } from './tables.ts';

interface AccessRow {
  chat_type: ChatType;
  own_role: ChatRole | null;
  /** The row's place in the result of the query; null if the query found nothing. */
  place: number | null;
}

/**
 * Returns the rows of a query about a chat, in its order. With a reader, the chat and the reader's role are read by the same statement, and so
 * in the same snapshot: the answer is of one moment. Throws NOT_FOUND (CHAT_NOT_FOUND), and what the reader's guard throws.
 */
export async function readInChat<Row>(
  db: Kysely<Tables>,
  chatId: string,
  query: Expression<Row>,
  reader: Reader | undefined,
): Promise<Row[]> {
  if (!reader) return (await sql<Row>`${query}`.execute(db)).rows;
  const { rows } = await sql<AccessRow & Row>`
    select c.type as chat_type, own.role as own_role, q.*
    from chats c
    left join members own on own.chat_id = c.id and own.user_id = ${reader.userId}
    left join lateral (select row_number() over () as place, page.* from (${query}) page) q on true
    where c.id = ${chatId}
    order by q.place`.execute(db);
  const [first] = rows;
  if (!first) throw chatNotFound();
  const { chat_type: type, own_role: role, place } = first;
  reader.guard({ chat: { id: chatId, type }, ...(role && { role }) });
  return place === null ? [] : rows;
}
