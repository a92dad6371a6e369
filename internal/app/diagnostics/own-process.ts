import { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapSnapshot, getHeapStatistics } from 'node:v8';
import type { Diagnostics } from '../../transport/admin/diagnostics.ts';
import { Refusal } from '../../transport/admin/refusal.ts';
import { watchEventLoop } from './watch-event-loop.ts';

/** Clients and leases would take the process for dead if it stood still for longer than a snapshot of this size takes. */
const maxHeapBytes = 1_073_741_824;

/** What this process tells about itself. */
export const ownProcess: Diagnostics = {
  heapSnapshot() {
    const { used_heap_size: used } = getHeapStatistics();
    if (used > maxHeapBytes) {
      const message = `the heap has ${toMebibytes(used)} MiB: a snapshot is taken of at most ${toMebibytes(maxHeapBytes)} MiB, because the process stands still meanwhile`;
      throw new Refusal(422, message);
    }
    return getHeapSnapshot();
  },

  async cpuProfile(seconds, signal) {
    const session = new Session();
    session.connect();
    try {
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
      await sleep(seconds * 1_000, undefined, { signal });
      const { profile } = await session.post('Profiler.stop');
      return JSON.stringify(profile);
    } finally {
      session.disconnect();
    }
  },

  eventLoop: watchEventLoop,
};

function toMebibytes(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
