import { type Kysely, sql } from 'kysely';
import type { ReadMark } from '../../../model/member.ts';
import type { ReadMarkRepository } from '../../read-mark-repository.ts';
import type { Database } from '../connection/database.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';
import { unreadCount } from './unread-count.ts';

export class PostgresReadMarkRepository implements ReadMarkRepository {
  readonly #db: Kysely<Tables>;
  readonly #reads: Kysely<Tables>;

  constructor({ db, reads }: Database) {
    this.#db = db;
    this.#reads = reads;
  }

  advance(chatId: string, userId: string, seq: number): Promise<{ readSeq: number; moved: boolean } | undefined> {
    return withStorageErrors(async () => {
      const { rows } = await sql<{ read_seq: number; moved: boolean }>`
        with moved as (
          update members set read_seq = ${seq}
          where chat_id = ${chatId} and user_id = ${userId} and read_seq < ${seq}
          returning read_seq)
        select read_seq, true as moved from moved
        union all
        select read_seq, false from members
        where chat_id = ${chatId} and user_id = ${userId} and not exists (select from moved)`.execute(this.#db);
      const [row] = rows;
      return row && { readSeq: row.read_seq, moved: row.moved };
    });
  }

  find(chatId: string, userId: string): Promise<ReadMark | undefined> {
    return withStorageErrors(async () => {
      const { rows } = await sql<{ read_seq: number; unread_count: number }>`
        select own.read_seq, ${unreadCount(userId)} as unread_count
        from members as own join chats as c on c.id = own.chat_id
        where own.chat_id = ${chatId} and own.user_id = ${userId}`.execute(this.#reads);
      const [row] = rows;
      return row && { readSeq: row.read_seq, unreadCount: row.unread_count };
    });
  }
}
