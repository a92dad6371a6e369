import pg from 'pg';

/**
 * The tables of the service whose rows a backup has, in an order in which a table comes after those that it refers to. Two existed before migration 0011
 * only. Missing are the unlogged tables of presence, and `goose_db_version`, which the migrations themselves fill.
 */
export const backupTables = [
  'users',
  'chats',
  'chat_details',
  'chat_epochs',
  'members',
  'messages',
  'changes',
  'message_versions',
  'reactions',
  'reaction_counts',
  'threads',
  'thread_follows',
  'mentions',
  'chat_bans',
  'user_bans',
  'deleted_chats',
  'audit_log',
  'epochs',
  'auth.signing_keys',
  'auth.accounts',
  'auth.sessions',
  'auth.refresh_tokens',
  'auth.audit_log',
  'ingest.mode',
  'ingest.stream',
  'ingest.partitions',
  'ingest.writers',
  'ingest.refused',
  'export.sinks',
  'export.cursors',
  'export.backfill',
  'export.chats',
] as const;

export type BackupTable = (typeof backupTables)[number];

/** Returns which tables of the service the database has. */
export async function listPresent(client: pg.Client): Promise<BackupTable[]> {
  const { rows } = await client.query<{ name: BackupTable }>(
    `select name from unnest($1::text[]) with ordinality as t (name, place)
     where to_regclass(name) is not null and to_regclass('goose_db_version') is not null order by place`,
    [backupTables],
  );
  return rows.map(({ name }) => name);
}

/** Returns a list of columns for SQL. */
export function quoteAll(columns: readonly string[]): string {
  return columns.map((column) => pg.escapeIdentifier(column)).join(', ');
}
