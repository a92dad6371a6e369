import type { IngestMode, IngestRepository } from '../../repository/ingest-repository.ts';

/**
 * Checks that messages get into the database as this process is set to store them. A database without a mode gets this one. Throws an error that says what
 * to do if it has the other: while some processes commit directly and some through the log, a message in the log may come after a later one.
 */
export async function claimMode(repository: Pick<IngestRepository, 'claimMode'>, wanted: IngestMode): Promise<void> {
  const mode = await repository.claimMode(wanted);
  if (mode === wanted) return;
  throw new Error(
    `INGEST is ${wanted}, but the database is set to ${mode}: set INGEST=${mode}, or switch the database first (make ingest-switch TO=${wanted})`,
  );
}
