import type { Logger } from 'pino';
import type { IngestLog, LogState } from '../../client/ingest/ingest-log.ts';
import type { IngestRepository } from '../../repository/ingest-repository.ts';

interface Deps {
  ingestLog: Pick<IngestLog, 'partitions' | 'state'>;
  repository: Pick<IngestRepository, 'openLog'>;
  log: Logger;
}

/**
 * Returns the state of the log, and whether it `isSame`: the log that the positions in the database belong to. If it is another log, the positions are 0
 * from now on, and the first caller that finds a log in the place of another logs an error. Throws if the log or the database cannot be reached, or if
 * the number of partitions has changed.
 */
export async function identifyLog({ ingestLog, repository, log }: Deps): Promise<LogState & { isSame: boolean }> {
  const state = await ingestLog.state();
  const { name, createdAt } = state;
  const found = await repository.openLog({ name, createdAt, partitions: ingestLog.partitions });
  if (found === 'replaced') {
    log.error(
      { stream: name },
      'the stream of accepted messages was replaced: messages that were not written yet are lost',
    );
  }
  return { ...state, isSame: found === 'same' };
}
