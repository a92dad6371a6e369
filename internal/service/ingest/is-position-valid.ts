import type { IngestLog } from '../../client/ingest/ingest-log.ts';
import type { IngestRepository } from '../../repository/ingest-repository.ts';
import { isStorageUnavailable } from '../writing/is-storage-unavailable.ts';

interface Deps {
  ingestLog: Pick<IngestLog, 'find'>;
  repository: Pick<IngestRepository, 'isSettled'>;
}

/**
 * Whether a partition can be read on from its position. The log must have reached the position, and the entry there, if the log still has it, must be an
 * entry of the partition that was processed. Otherwise the log has lost its end or was restored from a copy, and may have grown beyond the position
 * again since then. Throws if the log or the database cannot be reached.
 */
export async function isPositionValid(
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
    if (isStorageUnavailable(error)) throw error;
    // The database cannot look for a message with such values, so it has not written the message.
    return false;
  }
}
