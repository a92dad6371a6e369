import { sleep } from '../../../pkg/backoff/sleep.ts';
import type { IngestLog } from '../../client/ingest/ingest-log.ts';
import type { IngestMode, IngestRepository } from '../../repository/ingest-repository.ts';
import { isPositionValid } from './is-position-valid.ts';

interface Deps {
  ingestLog: Pick<IngestLog, 'partitions' | 'state' | 'find' | 'findEnd' | 'setOpen'>;
  repository: Pick<IngestRepository, 'startSwitch' | 'finishSwitch' | 'findPositions' | 'isSettled'>;
  /** Called with the number of partitions that writers have not finished yet, whenever it changes. */
  onWaiting(partitions: number): void;
}

/** The time between two looks at the writers' progress, in milliseconds. */
const pollMs = 200;

/**
 * Switches how messages get into the database, so that no message comes before one that its sender sent earlier. Processes of the old mode store nothing
 * from then on, and refuse messages as UNAVAILABLE; those of the new mode can start when it resolves.
 *
 * - To `jetstream`: the database refuses direct messages, and then the log is opened.
 * - To `direct`: the log is closed, the writers write what it has, and then the database takes direct messages. Without a writer it waits until the signal
 *   aborts.
 *
 * A switch that was interrupted leaves messages refused in both modes; it can be repeated, in either direction. Throws an error if the log or the database
 * cannot be reached, or if another switch was started meanwhile.
 */
export async function switchMode(deps: Deps, to: IngestMode, signal: AbortSignal): Promise<void> {
  const { ingestLog, repository } = deps;
  const switchId = await repository.startSwitch();
  if (to === 'jetstream') {
    await repository.finishSwitch(switchId, to);
    await ingestLog.setOpen(true);
    return;
  }
  await ingestLog.setOpen(false);
  await writersAtEnd(deps, signal);
  await repository.finishSwitch(switchId, to);
}

/** Resolves when everything in the closed log has been written. */
async function writersAtEnd(deps: Deps, signal: AbortSignal): Promise<void> {
  let before = 0;
  for (;;) {
    const waiting = await countUnfinished(deps);
    if (waiting === 0) return;
    if (waiting !== before) deps.onWaiting(waiting);
    before = waiting;
    await sleep(pollMs, signal);
    signal.throwIfAborted();
  }
}

async function countUnfinished({ ingestLog, repository }: Deps): Promise<number> {
  const state = await ingestLog.state();
  if (state.isOpen) throw new Error(`the stream ${state.name} was opened again meanwhile`);
  const positions = await repository.findPositions(state);
  let unfinished = 0;
  for (let partition = 0; partition < ingestLog.partitions; partition += 1) {
    const position = positions?.get(partition) ?? 0;
    const isAtEnd =
      position >= (await ingestLog.findEnd(partition)) &&
      (await isPositionValid({ ingestLog, repository }, { partition, position }, state.lastPosition));
    if (!isAtEnd) unfinished += 1;
  }
  return unfinished;
}
