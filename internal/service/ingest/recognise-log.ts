import type { Logger } from 'pino';
import type { IngestLog, LogState } from '../../client/ingest/ingest-log.ts';
import type { IngestRepository } from '../../repository/ingest-repository.ts';

interface Deps {
  ingestLog: Pick<IngestLog, 'partitions' | 'state'>;
  repository: Pick<IngestRepository, 'openLog'>;
  log: Logger;
}

/**
 * The log as it is now, and whether the positions that were known are of it; if not they begin at 0 from now on, and the first who notices it of a log in
 * another's place logs an error. Throws if the log or the database cannot be asked, and an error with a clear message if it has another number of partitions.
 */
export async function recogniseLog({ ingestLog, repository, log }: Deps): Promise<LogState & { isKnown: boolean }> {
  const state = await ingestLog.state();
  const { name, createdAt } = state;
  const found = await repository.openLog({ name, createdAt, partitions: ingestLog.partitions });
  if (found === 'new') {
    log.error({ stream: name }, 'the stream of accepted messages was made anew: what was not written is lost');
  }
  return { ...state, isKnown: found === 'known' };
}
