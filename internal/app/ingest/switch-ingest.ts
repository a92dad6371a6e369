import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import type { IngestMode } from '../../repository/ingest-repository.ts';
import { switchMode } from '../../service/ingest/switch-mode.ts';
import { openBus } from '../parts/open-bus.ts';
import { openIngest, openIngestLog } from '../parts/open-ingest.ts';
import { useIngest } from './use-ingest.ts';

interface Options {
  to: IngestMode;
  log: Logger;
  /** Called with the number of partitions whose messages have not been written yet. */
  onWaiting(partitions: number): void;
  signal: AbortSignal;
}

/**
 * Switches how messages get into the configured database; see `switchMode`. Takes part in writing what the log has, so that it ends also when no service
 * runs.
 */
export function switchIngest(config: Config, { to, log, onWaiting, signal }: Options): Promise<void> {
  return useIngest(config, log, async ({ database, repository, resources }) => {
    const { ingest } = config;
    if (ingest.kind === 'direct') throw new Error('the switch needs the settings of the log (NATS_URL)');
    if (to === 'jetstream') {
      const ingestLog = await openIngestLog(ingest, config, resources);
      return switchMode({ ingestLog, repository, onWaiting }, to, signal);
    }
    if ((await repository.claimMode('jetstream')) === to) return;
    const bus = await openBus(config.bus, { database, log, resources });
    const { ingestLog, writers } = (await openIngest(config, { bus, database, log, resources }))!;
    writers.start();
    await switchMode({ ingestLog, repository, onWaiting }, to, signal);
  });
}

/** Sets how messages get into the configured database, without a look at the log, which may not exist any more. */
export function forceIngest(config: Config, { to, log }: Pick<Options, 'to' | 'log'>): Promise<void> {
  return useIngest(config, log, async ({ repository }) => repository.finishSwitch(await repository.startSwitch(), to));
}
