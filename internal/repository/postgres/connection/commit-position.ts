import { type RawBuilder, sql } from 'kysely';

/**
 * A position in the order in which transactions become visible, which is not the order of any time or number that they write: a commit may take an hour,
 * while it waits for a synchronous standby for example. Transaction ids mean something only within one history.
 */
export interface CommitPosition {
  /** Changes whenever transaction ids may be given out a second time. */
  history: string;
  /** A `pg_snapshot`: which transactions were visible. */
  snapshot: string;
}

/** Snapshots are at most this long, so that a cursor fits into a request. */
const maxSnapshotLength = 100;

const form = /^([0-9a-f]{1,16})\.(\d{1,18}):(\d{1,18}):((?:\d{1,18}(?:,\d{1,18})*)?)$/;

/**
 * SQL for the position of the statement itself, as a cursor: what a transaction wrote is in the statement's result, or comes after the position.
 *
 * A crash, a failover and a restore from a backup may give out transaction ids again that a reader has seen in use, but never written to disk. After each
 * of them the server was started at another time, or has lost its statistics, as after a crash of one backend. A restored dump has other tables.
 */
export function commitPosition(table: 'user_bans' | 'auth.sessions'): RawBuilder<string> {
  const history = sql`to_hex(hashtextextended(concat_ws(' ',
    extract(epoch from pg_postmaster_start_time()),
    extract(epoch from (select stats_reset from pg_stat_bgwriter)),
    (select oid from pg_database where datname = current_database()),
    ${table}::regclass::oid), 0))`;
  // A snapshot that is too long is replaced by its beginning: what was visible beyond it comes again.
  const snapshot = sql`case when length(pg_current_snapshot()::text) <= ${maxSnapshotLength} then pg_current_snapshot()::text
    else concat(pg_snapshot_xmin(pg_current_snapshot()), ':', pg_snapshot_xmin(pg_current_snapshot()), ':') end`;
  return sql<string>`${history} || '.' || ${snapshot}`;
}

/** SQL for whether the transaction that is noted in the column has become visible after the position. Null, when none is noted. */
export function committedAfter(column: string, { snapshot }: CommitPosition): RawBuilder<boolean> {
  const xid = sql.ref(column);
  const seen = sql`${snapshot}::pg_snapshot`;
  return sql<boolean>`(${xid} >= pg_snapshot_xmin(${seen}) and not pg_visible_in_snapshot(${xid}, ${seen}))`;
}

/** Returns the position of a cursor; undefined if the text is not the cursor of an answer. */
export function parseCommitPosition(cursor: string): CommitPosition | undefined {
  const [, history, from, to, list = ''] = form.exec(cursor) ?? [];
  if (history === undefined || from === undefined || to === undefined) return undefined;
  const [xmin, xmax, running] = [BigInt(from), BigInt(to), list.split(',').filter(Boolean).map(BigInt)];
  const ordered = running.every((xid, i) => xid >= (i === 0 ? xmin : running[i - 1]! + 1n) && xid < xmax);
  if (xmin === 0n || xmin > xmax || !ordered) return undefined;
  return { history, snapshot: `${xmin}:${xmax}:${running.join(',')}` };
}
