import { type Kysely, sql } from 'kysely';
import type { ChatType } from '../../../model/chat.ts';
import { ChatError } from '../../../model/errors.ts';
import type { ChatRole, MessageReceipt } from '../../../model/member.ts';
import type { Page } from '../../../model/page.ts';
import type { Reader } from '../../guard.ts';
import type { ReceiptRepository } from '../../receipt-repository.ts';
import { chatNotFound } from '../connection/chat-not-found.ts';
import type { Database } from '../connection/database.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';

/** What every row has of the chat, and a receipt; its columns are null if there is none. */
interface ReceiptRow {
  chat_type: ChatType;
  member_count: number;
  own_role: ChatRole | null;
  message_seq: number | null;
  user_id: string | null;
  name: string | null;
  read: boolean | null;
}

export class PostgresReceiptRepository implements ReceiptRepository {
  readonly #db: Kysely<Tables>;

  constructor({ reads }: Database) {
    this.#db = reads;
  }

  list(
    { chatId, messageId, reader }: { chatId: string; messageId: string; reader: Reader },
    maxMembers: number,
    limit: number,
    afterUserId?: string,
  ): Promise<Page<MessageReceipt, string>> {
    return withStorageErrors(async () => {
      // One statement reads one snapshot.
      const { rows } = await sql<ReceiptRow>`
        select c.type as chat_type, c.member_count, own.role as own_role, t.seq as message_seq, r.user_id, r.name, r.read
        from chats c
        left join members own on own.chat_id = c.id and own.user_id = ${reader.userId}
        left join messages t on t.chat_id = c.id and t.id = ${messageId} and not t.hidden
        left join lateral (
          select m.user_id, u.name, m.read_seq >= t.seq as read
          from members m left join users u on u.id = m.user_id
          where m.chat_id = c.id and c.member_count <= ${maxMembers} and m.joined_seq < t.seq and m.user_id <> t.sender_id
            and greatest(m.delivered_seq, m.read_seq) >= t.seq
            and (${afterUserId ?? null}::text is null or m.user_id > ${afterUserId ?? null})
          order by m.user_id limit ${limit + 1}) r on true
        where c.id = ${chatId}
        order by r.user_id`.execute(this.#db);
      const [first] = rows;
      if (!first) throw chatNotFound();
      const { chat_type: type, own_role: role, member_count, message_seq } = first;
      reader.guard({ chat: { id: chatId, type }, ...(role && { role }) });
      if (member_count > maxMembers) {
        throw new ChatError('CHAT_TOO_LARGE', `only chats with at most ${maxMembers} members have receipts`);
      }
      if (message_seq === null) throw new ChatError('MESSAGE_NOT_FOUND', 'there is no such message in this chat');
      const items = rows
        .slice(0, limit)
        .flatMap(({ user_id, name, read }) =>
          user_id === null ? [] : [{ user: { id: user_id, name: name ?? '' }, read: read ?? false }],
        );
      return { items, ...(rows.length > limit && { next: items.at(-1)?.user.id }) };
    });
  }
}
