/** What a process did between two readings of its metrics. A value is null if nothing was measured in that time. */
export interface MetricPoint {
  /** When the time ended, in milliseconds since 1970. */
  at: number;
  messagesPerSecond: number;
  deliveriesPerSecond: number;
  acknowledgementP50Ms: number | null;
  acknowledgementP99Ms: number | null;
  deliveryP99Ms: number | null;
  /** By how much timers were late, since the process has started. */
  eventLoopP99Ms: number | null;
  residentBytes: number | null;
  heapUsedBytes: number | null;
  /** Open streams by transport. */
  sessions: Record<string, number>;
  /** Refusals a second by reason, those that happened. */
  refusalsPerSecond: Record<string, number>;
}
