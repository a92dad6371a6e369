import type pg from 'pg';
import type { ChatToExport, ExportRepository } from '../export-repository.ts';
import type { Database } from './database.ts';
import { withStorageErrors } from './storage-error.ts';

const oldChatsAtOnce = 500;
/** An id that comes before those of all chats. */
const beforeAll = '00000000-0000-0000-0000-000000000000';

/** Changes are noted by triggers, in the transactions that make them. Nothing here holds a lock while somebody else is waited for. */
export class PostgresExportRepository implements ExportRepository {
  readonly #pool: pg.Pool;
  /** Chats are claimed in turn: under load those that always have something must not keep the others waiting. */
  #lastClaimed = beforeAll;

  constructor({ pool }: Pick<Database, 'pool'>) {
    this.#pool = pool;
  }

  enable(): Promise<void> {
    return withStorageErrors(async () => {
      await this.#pool.query('select export.enable()');
      const noteOld = () => this.#pool.query<{ more: boolean }>('select export.note_old($1) as more', [oldChatsAtOnce]);
      while ((await noteOld()).rows[0]?.more);
    });
  }

  claim(limit: number, leaseMs: number): Promise<ChatToExport[]> {
    return withStorageErrors(async () => {
      const hasBegun = this.#lastClaimed !== beforeAll;
      const chats = await this.#claimNext(limit, leaseMs);
      // At the end of a round the next one begins.
      return chats.length === 0 && hasBegun ? this.#claimNext(limit, leaseMs) : chats;
    });
  }

  release({ chatId, exportedSeq, position }: Pick<ChatToExport, 'chatId' | 'exportedSeq' | 'position'>): Promise<void> {
    return withStorageErrors(async () => {
      // One whose lease has run out may come later than another who has gone further.
      await this.#pool.query(
        `update export.chats set exported_seq = $2, position = $3, leased_until = null
         where chat_id = $1 and exported_seq <= $2`,
        [chatId, exportedSeq, position],
      );
    });
  }

  forget(chatId: string): Promise<void> {
    return withStorageErrors(async () => {
      await this.#pool.query('delete from export.chats where chat_id = $1', [chatId]);
    });
  }

  async #claimNext(limit: number, leaseMs: number): Promise<ChatToExport[]> {
    const { rows } = await this.#pool.query<ChatToExport>(
      `with claimed as (
         update export.chats c set leased_until = clock_timestamp() + $2 * interval '1 millisecond'
         from (
           select chat_id from export.chats
           where (last_seq > exported_seq or deleted) and (leased_until is null or leased_until < clock_timestamp())
             and chat_id > $3
           order by chat_id limit $1 for update skip locked
         ) pending
         where c.chat_id = pending.chat_id
         returning c.chat_id as "chatId", c.exported_seq as "exportedSeq", c.position, c.deleted
       )
       select * from claimed order by "chatId"`,
      [limit, leaseMs, this.#lastClaimed],
    );
    this.#lastClaimed = (rows.length === limit && rows.at(-1)?.chatId) || beforeAll;
    return rows;
  }
}
