import { type Kysely, sql } from 'kysely';
import { withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';

/**
 * Removes rows of deleted chats, of each kind at most `limit`: messages, changes, earlier texts, and threads. Returns the number of rows of the kind that had the
 * most. Call it again while that is `limit`: rows are left. It looks at a hundred chats at a time, and several nodes take different ones. Throws UNAVAILABLE
 * (STORAGE_UNAVAILABLE).
 */
export function pruneDeletedChats(db: Kysely<Tables>, limit: number): Promise<number> {
  return withStorageErrors(async () => {
    const { rows } = await sql<{ removed: number }>`
      with chosen as (select id from deleted_chats order by deleted_at limit 100 for update skip locked),
      removed as (
        delete from messages where (chat_id, seq) in (
          select m.chat_id, m.seq from chosen join messages as m on m.chat_id = chosen.id limit ${limit})
        returning 1),
      removed_changes as (
        delete from changes where (chat_id, seq) in (
          select e.chat_id, e.seq from chosen join changes as e on e.chat_id = chosen.id limit ${limit})
        returning 1),
      removed_versions as (
        delete from message_versions where (chat_id, message_seq, version) in (
          select v.chat_id, v.message_seq, v.version from chosen join message_versions as v on v.chat_id = chosen.id
          limit ${limit})
        returning 1),
      removed_threads as (
        delete from threads where (chat_id, root_seq) in (
          select t.chat_id, t.root_seq from chosen join threads as t on t.chat_id = chosen.id limit ${limit})
        returning 1),
      removed_reactions as (
        delete from reactions where (chat_id, message_seq, emoji, user_id) in (
          select r.chat_id, r.message_seq, r.emoji, r.user_id from chosen join reactions as r on r.chat_id = chosen.id
          limit ${limit})
        returning 1),
      removed_counts as (
        delete from reaction_counts where (chat_id, message_seq, emoji) in (
          select k.chat_id, k.message_seq, k.emoji from chosen join reaction_counts as k on k.chat_id = chosen.id
          limit ${limit})
        returning 1),
      most as (select greatest(
        (select count(*) from removed), (select count(*) from removed_changes), (select count(*) from removed_versions),
        (select count(*) from removed_reactions), (select count(*) from removed_counts),
        (select count(*) from removed_threads)
      )::integer as removed),
      done as (
        delete from deleted_chats where id in (select id from chosen) and (select removed from most) < ${limit})
      select removed from most`.execute(db);
    return rows[0]!.removed;
  });
}
