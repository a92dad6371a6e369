import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { ReadMark } from '../../../model/member.ts';
import type { MovedMark, ReadMarkRepository } from '../../read-mark-repository.ts';
import type { Database } from '../connection/database.ts';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';
import { mentionCount } from './mention-count.ts';
import { unreadCount } from './unread-count.ts';

interface MarkRow {
  read_seq: number;
  read_generation: number;
  delivered_seq: number;
  moved: boolean;
}

export class PostgresReadMarkRepository implements ReadMarkRepository {
  readonly #db: Kysely<Tables>;
  readonly #reads: Kysely<Tables>;

  constructor({ db, reads }: Database) {
    this.#db = db;
    this.#reads = reads;
  }

  async advance(
    chatId: string,
    userId: string,
    { seq, ifGeneration }: { seq: number; ifGeneration: number | undefined },
  ): Promise<MovedMark | undefined> {
    const isKnown = ifGeneration === undefined ? sql`true` : sql`read_generation <= ${ifGeneration}::bigint`;
    return toMark(await this.#move(chatId, userId, sql`read_seq = ${seq}`, sql`read_seq < ${seq} and ${isKnown}`));
  }

  async moveBack(chatId: string, userId: string, fromSeq: number): Promise<MovedMark | undefined> {
    const set = sql`
      read_seq = ${fromSeq}::bigint - 1, read_generation = read_generation + 1,
      delivered_seq = greatest(delivered_seq, read_seq)`;
    return toMark(await this.#move(chatId, userId, set, sql`read_seq >= ${fromSeq}`));
  }

  async deliver(
    chatId: string,
    userId: string,
    seq: number,
  ): Promise<{ deliveredSeq: number; moved: boolean } | undefined> {
    const isAhead = sql`greatest(delivered_seq, read_seq) < ${seq}`;
    const row = await this.#move(chatId, userId, sql`delivered_seq = ${seq}`, isAhead);
    return row && { deliveredSeq: row.delivered_seq, moved: row.moved };
  }

  findDelivered(chatId: string, userId: string): Promise<number | undefined> {
    return withStorageErrors(async () => {
      const row = await this.#reads
        .selectFrom('members')
        .select(['delivered_seq', 'read_seq'])
        .where('chat_id', '=', chatId)
        .where('user_id', '=', userId)
        .executeTakeFirst();
      return row && Math.max(row.delivered_seq, row.read_seq);
    });
  }

  find(chatId: string, userId: string): Promise<ReadMark | undefined> {
    return withStorageErrors(async () => {
      const { rows } = await sql<MarkRow & { unread_count: number; mention_count: number }>`
        select own.read_seq, own.read_generation, ${unreadCount(userId)} as unread_count,
          ${mentionCount(userId)} as mention_count
        from members as own join chats as c on c.id = own.chat_id
        where own.chat_id = ${chatId} and own.user_id = ${userId}`.execute(this.#reads);
      const [row] = rows;
      if (!row) return undefined;
      const { read_seq: readSeq, read_generation: readGeneration } = row;
      return { readSeq, readGeneration, unreadCount: row.unread_count, mentionCount: row.mention_count };
    });
  }

  /** Changes the member's row if the condition holds, and returns the marks; undefined if there is no such row. */
  #move(
    chatId: string,
    userId: string,
    set: RawBuilder<unknown>,
    condition: RawBuilder<unknown>,
  ): Promise<MarkRow | undefined> {
    return withStorageErrors(async () => {
      const marks = sql`read_seq, read_generation, greatest(delivered_seq, read_seq) as delivered_seq`;
      const { rows } = await sql<MarkRow>`
        with moved as (
          update members set ${set}
          where chat_id = ${chatId} and user_id = ${userId} and ${condition}
          returning ${marks})
        select *, true as moved from moved
        union all
        select ${marks}, false from members
        where chat_id = ${chatId} and user_id = ${userId} and not exists (select from moved)`.execute(this.#db);
      return rows[0];
    });
  }
}

function toMark(row: MarkRow | undefined): MovedMark | undefined {
  return row && { readSeq: row.read_seq, readGeneration: row.read_generation, moved: row.moved };
}
