import type { Readable } from 'node:stream';

/** What a process can tell about itself. */
export interface Diagnostics {
  /**
   * Starts a heap snapshot and returns it as JSON. The process stands still until the first bytes: about a second for 50 to 100 MiB. Throws `Refusal` if
   * the heap is too large for that.
   */
  heapSnapshot(): Readable;
  /** Records what the process does, and returns the profile as JSON. Throws when the signal aborts. */
  cpuProfile(seconds: number, signal: AbortSignal): Promise<string>;
  /** Watches the event loop. Throws when the signal aborts. */
  eventLoop(seconds: number, signal: AbortSignal): Promise<EventLoopReport>;
}

/** Times are in milliseconds, sizes in bytes. Times and counts are of the `seconds` during which the process was watched. */
export interface EventLoopReport {
  pid: number;
  uptimeSeconds: number;
  seconds: number;
  eventLoop: {
    /** The share of time in which the loop was not idle, from 0 to 1. */
    utilization: number;
    /** By how much timers were late. */
    delayMs: Record<'mean' | 'p50' | 'p90' | 'p99' | 'max', number>;
  };
  cpu: { userMs: number; systemMs: number };
  /** Pauses for garbage collection, by kind: minor, major, incremental, weak callbacks. */
  gc: Record<string, { count: number; totalMs: number; longestMs: number }>;
  memory: Record<'rss' | 'heapTotal' | 'heapUsed' | 'heapLimit' | 'external' | 'arrayBuffers', number>;
  /** What keeps the process alive, by type and count: sockets, timers, … */
  resources: Record<string, number>;
}
