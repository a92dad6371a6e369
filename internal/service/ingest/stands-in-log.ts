import type { IngestLog } from '../../client/ingest/ingest-log.ts';
import type { IngestRepository } from '../../repository/ingest-repository.ts';
import { isTransient } from '../writing/is-transient.ts';

interface Deps {
  ingestLog: Pick<IngestLog, 'find'>;
  repository: Pick<IngestRepository, 'isSettled'>;
}

/**
 * Whether a partition's position is one of the log as it is now: the log has come so far, and if it still has the entry there, that is one of the partition and
 * was dealt with. A log that has lost its end, or was put back from a copy, may have grown beyond the position again.
 */
export async function standsInLog(
  { ingestLog, repository }: Deps,
  { partition, position }: { partition: number; position: number },
  lastPosition: number,
): Promise<boolean> {
  if (position === 0) return true;
  if (lastPosition < position) return false;
  const entry = await ingestLog.find(position);
  if (!entry) return true;
  if (entry.partition !== partition) return false;
  try {
    return await repository.isSettled(entry);
  } catch (error) {
    if (isTransient(error)) throw error;
    // What the database cannot even look for it has not written.
    return false;
  }
}
