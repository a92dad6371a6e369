import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Cluster } from '../cluster/site.ts';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { evictOrphan } from './evict-orphan.ts';
import { OwnerSession } from './owner-session.ts';
import { Postmaster, type Settings } from './postmaster.ts';

const RETRY_MS = 100;
const BUSY_PATIENCE_MS = 10_000;
const OWNER_LOCK_PATIENCE_MS = 10_000;

/** How the server is started, the first time and after each crash. */
export interface LaunchPlan {
  readonly cluster: Cluster;
  readonly database: string;
  readonly settings: Settings;
  /** The longest silence of a server that is starting, in milliseconds. */
  readonly silenceMs: number;
  readonly log: (line: string) => void;
}

/** A server that takes connections, is locked for this service, and has the database. */
export interface Launched {
  readonly postmaster: Postmaster;
  readonly owner: OwnerSession;
  readonly port: number;
}

/**
 * Starts the server on the port that `nextPort` gives for each attempt. Tries again for some seconds if processes of a crashed server are still
 * ending, or if another program has just taken the port. After a failure nothing is left running.
 */
export async function launch(
  plan: LaunchPlan,
  nextPort: () => number | Promise<number>,
  signal: AbortSignal,
): Promise<Launched> {
  const giveUpAt = performance.now() + BUSY_PATIENCE_MS;
  for (;;) {
    try {
      await evictOrphan(plan.cluster, plan.silenceMs, plan.log, signal);
      return await launchOnce(plan, await nextPort(), signal);
    } catch (error) {
      const passing = error instanceof EmbeddedPostgresError && error.reason !== 'final';
      if (!passing || performance.now() > giveUpAt) throw error;
    }
    await delay(RETRY_MS, undefined, { signal });
  }
}

async function launchOnce(plan: LaunchPlan, port: number, signal: AbortSignal): Promise<Launched> {
  const { cluster, settings, silenceMs, log } = plan;
  const postmaster = await Postmaster.spawn(cluster, port, settings, log);
  let owner: OwnerSession | undefined;
  try {
    await postmaster.ready(silenceMs, signal);
    const patience = AbortSignal.any([signal, AbortSignal.timeout(OWNER_LOCK_PATIENCE_MS)]);
    owner = await OwnerSession.hold(cluster, port, log, patience);
    await createDatabase(owner.client, plan.database);
    return { postmaster, owner, port };
  } catch (error) {
    await Promise.all([owner?.release(), postmaster.stop()]);
    if (error instanceof EmbeddedPostgresError || signal.aborted) throw error;
    throw new EmbeddedPostgresError(`cannot use the bundled PostgreSQL: ${(error as Error).message}`, { cause: error });
  }
}

async function createDatabase(client: pg.Client, name: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
  if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`);
  // The details of an error contain whole rows, which must not be in a log.
  await client.query(`alter database ${pg.escapeIdentifier(name)} set log_error_verbosity = terse`);
}
