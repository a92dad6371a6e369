import { type Kysely, sql } from 'kysely';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';

/**
 * Removes at most `limit` messages of deleted chats and returns how many it has removed; fewer than `limit` means that no more are left for
 * this call. It looks at a hundred chats at a time, and several nodes take different ones. Throws UNAVAILABLE (STORAGE_UNAVAILABLE).
 */
export function pruneDeletedChats(db: Kysely<Tables>, limit: number): Promise<number> {
  return withStorageErrors(async () => {
    const { rows } = await sql<{ removed: number }>`
      with chosen as (select id from deleted_chats order by deleted_at limit 100 for update skip locked),
      removed as (
        delete from messages where (chat_id, seq) in (
          select m.chat_id, m.seq from chosen join messages as m on m.chat_id = chosen.id limit ${limit})
        returning 1),
      done as (
        delete from deleted_chats where id in (select id from chosen) and (select count(*) from removed) < ${limit})
      select count(*)::integer as removed from removed`.execute(db);
    return rows[0]!.removed;
  });
}
