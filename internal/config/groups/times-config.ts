import type { EnvReader } from '../reading/env-reader.ts';

/** Deadlines and intervals, in milliseconds. */
export interface TimesConfig {
  /** The longest that a unary call, or a statement of one, may take. */
  callTimeoutMs: number;
  /** How often a node compares what it delivered with the database, in case the bus lost something. */
  repairIntervalMs: number;
  /** How long a connection may be silent before it is asked whether it lives. */
  keepaliveMs: number;
  /** How long after the end of a user's last stream the user is announced as offline, unless there is another stream by then. */
  presenceGraceMs: number;
  /** How long stopping waits for streams to end and for calls to finish. */
  drainTimeoutMs: number;
  /** Streams that are told to reconnect wait for a random time up to this. */
  reconnectSpreadMs: number;
}

export function readTimes(read: EnvReader): TimesConfig {
  return {
    callTimeoutMs: read.integer('CALL_TIMEOUT_MS', 5_000, { min: 100, max: 600_000 }),
    repairIntervalMs: read.integer('REPAIR_INTERVAL_MS', 2_000, { min: 50, max: 600_000 }),
    presenceGraceMs: read.integer('PRESENCE_GRACE_MS', 3_000, { min: 0, max: 600_000 }),
    ...readGatewayTimes(read),
    reconnectSpreadMs: read.integer('RECONNECT_SPREAD_MS', 3_000, { min: 0, max: 3_600_000 }),
  };
}

/** The times that a gateway needs when it runs alone. */
export function readGatewayTimes(read: EnvReader): Pick<TimesConfig, 'keepaliveMs' | 'drainTimeoutMs'> {
  return {
    keepaliveMs: read.integer('KEEPALIVE_MS', 20_000, { min: 1_000, max: 3_600_000 }),
    drainTimeoutMs: read.integer('DRAIN_TIMEOUT_MS', 10_000, { min: 0, max: 3_600_000 }),
  };
}
