import type { Kysely, Transaction } from 'kysely';
import { withStorageErrors } from './storage-error.ts';
import type { Tables } from './tables.ts';

/**
 * Runs `work` in a transaction and commits it; rolls back when `work` throws. Transient failures become UNAVAILABLE
 * (STORAGE_UNAVAILABLE); the commit may have succeeded then.
 */
export function inTransaction<T>(db: Kysely<Tables>, work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
  return withStorageErrors(() => db.transaction().execute(work));
}

/** Runs reads in one snapshot of the database, so that what they return was true at one moment. Throws as `inTransaction`. */
export function inSnapshot<T>(db: Kysely<Tables>, read: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
  const snapshot = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only');
  return withStorageErrors(() => snapshot.execute(read));
}
