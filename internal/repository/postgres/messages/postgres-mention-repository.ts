import { type Kysely, sql } from 'kysely';
import type { Message } from '../../../model/message.ts';
import type { Page } from '../../../model/page.ts';
import type { MentionKey, MentionRepository } from '../../mention-repository.ts';
import type { Database } from '../connection/database.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';
import { type MessageRow, messageColumns, toMessage } from './message-row.ts';

export class PostgresMentionRepository implements MentionRepository {
  readonly #db: Kysely<Tables>;

  constructor({ reads }: Database) {
    this.#db = reads;
  }

  /** Takes the newest ones of each chat from the index, and of these the newest. */
  list(userId: string, limit: number, after?: MentionKey): Promise<Page<Message, MentionKey>> {
    return withStorageErrors(async () => {
      const columns = sql.join(messageColumns.map((column) => sql.ref(`m.${column}`)));
      const further = after
        ? sql`and (t.created_at, t.chat_id, t.seq) < (${new Date(after.at)}::timestamptz, ${after.chatId}::uuid, ${after.seq}::bigint)`
        : sql``;
      const { rows } = await sql<MessageRow>`
        select ${columns} from (
          select found.chat_id, found.seq, found.created_at
          from members own
          cross join (values (${userId}), ('')) as target (user_id)
          cross join lateral (
            select t.chat_id, t.seq, t.created_at from mentions t
            where t.chat_id = own.chat_id and t.user_id = target.user_id and t.seq > own.joined_seq
              and t.sender_id <> ${userId} ${further}
            order by t.created_at desc, t.seq desc limit ${limit + 1}) found
          where own.user_id = ${userId}
          group by found.chat_id, found.seq, found.created_at
          order by found.created_at desc, found.chat_id desc, found.seq desc limit ${limit + 1}) k
        join messages m on m.chat_id = k.chat_id and m.seq = k.seq
        order by k.created_at desc, k.chat_id desc, k.seq desc`.execute(this.#db);
      const items = rows.slice(0, limit).map(toMessage);
      const last = items.at(-1);
      if (!last || rows.length <= limit) return { items };
      return { items, next: { at: last.createdAt.getTime(), chatId: last.chatId, seq: last.seq } };
    });
  }
}
