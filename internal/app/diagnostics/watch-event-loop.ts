import {
  constants,
  monitorEventLoopDelay,
  type PerformanceEntry,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import type { EventLoopReport } from '../../transport/admin/diagnostics.ts';

/** How often the delay is measured, in milliseconds. */
const resolutionMs = 10;

const gcKinds: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakCallbacks',
};

/** Watches the event loop of this process. It costs something only meanwhile. Throws when the signal aborts. */
export async function watchEventLoop(seconds: number, signal: AbortSignal): Promise<EventLoopReport> {
  const collections: PerformanceEntry[] = [];
  const collector = new PerformanceObserver((list) => collections.push(...list.getEntries()));
  collector.observe({ entryTypes: ['gc'] });
  using delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  const [loop, cpu] = [performance.eventLoopUtilization(), process.cpuUsage()];
  try {
    await sleep(seconds * 1_000, undefined, { signal });
  } finally {
    collections.push(...collector.takeRecords());
    collector.disconnect();
  }
  const { user, system } = process.cpuUsage(cpu);
  // The histogram has the time between two measurements, in nanoseconds.
  const late = (nanoseconds: number) => round(Math.max(0, nanoseconds / 1e6 - resolutionMs));
  return {
    pid: process.pid,
    uptimeSeconds: round(process.uptime()),
    seconds,
    eventLoop: {
      utilization: round(performance.eventLoopUtilization(loop).utilization),
      delayMs: {
        mean: late(delay.mean),
        p50: late(delay.percentile(50)),
        p90: late(delay.percentile(90)),
        p99: late(delay.percentile(99)),
        max: late(delay.max),
      },
    },
    cpu: { userMs: round(user / 1_000), systemMs: round(system / 1_000) },
    gc: summarize(collections),
    memory: { ...process.memoryUsage(), heapLimit: getHeapStatistics().heap_size_limit },
    resources: count(process.getActiveResourcesInfo()),
  };
}

function summarize(collections: readonly PerformanceEntry[]): EventLoopReport['gc'] {
  const byKind = Object.groupBy(collections, kindOf);
  return Object.fromEntries(
    Object.entries(byKind).map(([kind, entries = []]) => {
      const times = entries.map(({ duration }) => duration);
      const totalMs = round(times.reduce((sum, time) => sum + time, 0));
      return [kind, { count: times.length, totalMs, longestMs: round(Math.max(...times)) }];
    }),
  );
}

function kindOf(entry: PerformanceEntry): string {
  // The types do not have what Node adds to the entries.
  const { detail } = entry as PerformanceEntry & { detail: { kind: number } };
  return gcKinds[detail.kind] ?? 'other';
}

function count(types: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const type of types) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
