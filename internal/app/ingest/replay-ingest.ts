import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import { PostgresRefusedEntryRepository } from '../../repository/postgres/ingest/postgres-refused-entry-repository.ts';
import type { RefusedEntry } from '../../repository/refused-entry-repository.ts';
import { claimMode } from '../../service/ingest/claim-mode.ts';
import { identifyLog } from '../../service/ingest/identify-log.ts';
import { type Replayed, replayRefused } from '../../service/ingest/replay-refused.ts';
import { openIngestLog } from '../parts/open-ingest.ts';
import { useIngest } from './use-ingest.ts';

const pageSize = 100;

/** Calls `onEntry` with each entry that was set aside in the configured database, in order. Does not need the log. */
export function listRefused(config: Config, log: Logger, onEntry: (entry: RefusedEntry) => void): Promise<void> {
  return useIngest(config, log, async ({ database }) => {
    const refused = new PostgresRefusedEntryRepository(database);
    let page: RefusedEntry[] = [];
    do {
      page = await refused.list(page.at(-1)?.id ?? 0, pageSize);
      for (const entry of page) onEntry(entry);
    } while (page.length === pageSize);
  });
}

/**
 * Appends the entries that were set aside in the configured database to the log again; see `replayRefused`. Throws an error, and appends nothing, if the
 * messages of the database do not go through this log: no writer would read them.
 */
export function replayIngest(config: Config, log: Logger): Promise<Replayed> {
  return useIngest(config, log, async ({ database, repository, resources }) => {
    const { ingest } = config;
    if (ingest.kind === 'direct') throw new Error('the log is configured by INGEST=jetstream and NATS_URL');
    await claimMode(repository, ingest.kind);
    const ingestLog = await openIngestLog(ingest, config, resources);
    await identifyLog({ ingestLog, repository, log });
    return replayRefused({ ingestLog, refused: new PostgresRefusedEntryRepository(database) });
  });
}
