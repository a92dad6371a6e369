import { rm } from 'node:fs/promises';
import { type LockFile, readLockFile } from '../cluster/lock-file.ts';
import type { Cluster } from '../cluster/site.ts';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { isAlive, processState, worksIn } from '../system/process-state.ts';
import { waitUntil } from '../system/wait-until.ts';
import { type DatabaseSession, openSession, readOccupancy, tryLock } from './owner-session.ts';

const EMPTY_FILE_PATIENCE_MS = 3_000;
const OWNER_PATIENCE_MS = 5_000;
const FAST_SHUTDOWN_MS = 20_000;
const IMMEDIATE_SHUTDOWN_MS = 10_000;

/**
 * Frees the data folder for this service's server: stops a server whose service has died, and removes the lock file of a server that was killed.
 *
 * Throws if the folder's server belongs to a living service, was started by something else, or does not answer within `patienceMs`. The reason is
 * `folder_busy` if the server is ending. Resolves if none of this can be known; PostgreSQL then checks the folder itself.
 */
export async function evictOrphan(
  cluster: Cluster,
  patienceMs: number,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const lockFile = await readLockFile(cluster.dir);
  if (!lockFile) return;
  if (Number.isNaN(lockFile.pid)) return removeIfStillEmpty(cluster, log, signal);
  if (!isServing(lockFile.pid, cluster)) return removeIfForeign(lockFile, cluster, log);
  const session = await enter(cluster, lockFile.pid, patienceMs, signal);
  if (!session) return;
  try {
    await claim(session, cluster, lockFile.pid, signal);
    log(`stopping the PostgreSQL server (pid ${lockFile.pid}) of a service that is gone`);
    await stop(lockFile.pid, cluster, signal);
  } catch (cause) {
    if (cause instanceof EmbeddedPostgresError || signal.aborted) throw cause;
    throw inUse(cluster, 'by a PostgreSQL server that is stopping or does not answer', {
      cause,
      reason: 'folder_busy',
    });
  } finally {
    await session.client.end().catch(() => {});
  }
}

/** Where the system does not show what a process works in, any living process with the id counts as the folder's server. */
function isServing(pid: number, { dir }: Cluster): boolean {
  return isAlive(pid) && worksIn(pid, dir) !== false;
}

async function removeIfStillEmpty(cluster: Cluster, log: (line: string) => void, signal: AbortSignal): Promise<void> {
  const written = await waitUntil(
    async () => !Number.isNaN((await readLockFile(cluster.dir))?.pid ?? 0),
    EMPTY_FILE_PATIENCE_MS,
    signal,
  );
  if (written) return evictOrphan(cluster, OWNER_PATIENCE_MS, log, signal);
  log('removing the empty lock file of a server that was killed');
  await rm(`${cluster.dir}/postmaster.pid`, { force: true });
}

/** After a reboot another process may have the id in the lock file. PostgreSQL would not start because of it. */
async function removeIfForeign({ pid, path }: LockFile, cluster: Cluster, log: (line: string) => void): Promise<void> {
  if (processState(pid) === 'absent' || worksIn(pid, cluster.dir)) return;
  log(`removing the lock file of a server that was killed; process ${pid} is not it`);
  if ((await readLockFile(cluster.dir))?.pid === pid) await rm(path, { force: true });
}

/** Opens a session on the folder's server, as soon as it takes connections. Resolves with undefined if it has ended, or cannot be asked. */
async function enter(
  cluster: Cluster,
  pid: number,
  patienceMs: number,
  signal: AbortSignal,
): Promise<DatabaseSession | undefined> {
  let session: DatabaseSession | undefined;
  const settled = await waitUntil(
    async () => {
      const now = await readLockFile(cluster.dir);
      if (now?.pid !== pid || !isServing(pid, cluster)) return true;
      if (now.ready) session = await openSession(cluster, now.port).catch(() => undefined);
      return session !== undefined || worksIn(pid, cluster.dir) === undefined;
    },
    patienceMs,
    signal,
  );
  if (settled) return session;
  throw inUse(cluster, `by a PostgreSQL server (pid ${pid}) that does not answer; stop it and start again`);
}

/** Takes the owner's lock on the folder's server, so that only one of several starting services continues. Throws if the server's service lives. */
async function claim(session: DatabaseSession, cluster: Cluster, pid: number, signal: AbortSignal): Promise<void> {
  let owner = 0;
  const claimed = await waitUntil(
    async () => {
      const { ownerPid, holderPid, dataFolder } = await readOccupancy(session);
      const foreign = worksIn(pid, cluster.dir) === undefined && dataFolder !== cluster.dir;
      if (foreign || ownerPid === undefined) {
        throw inUse(cluster, `by a PostgreSQL server (pid ${pid}) that no service started; stop it and start again`);
      }
      // The session of a service that was killed ends a moment later. A living service may be about to replace a lost session.
      if (holderPid !== undefined && isAlive(holderPid)) throw inUseByService(cluster, holderPid);
      owner = ownerPid;
      return !isAlive(ownerPid) && (await tryLock(session));
    },
    OWNER_PATIENCE_MS,
    signal,
  );
  // A living process has the owner's id, but it did not take the lock back: it is another process by now.
  if (!claimed && !(await tryLock(session))) throw inUseByService(cluster, owner);
}

async function stop(pid: number, cluster: Cluster, signal: AbortSignal): Promise<void> {
  const gone = async () => !isServing(pid, cluster) || (await readLockFile(cluster.dir))?.pid !== pid;
  process.kill(pid, 'SIGINT');
  if (await waitUntil(gone, FAST_SHUTDOWN_MS, signal)) return;
  process.kill(pid, 'SIGQUIT');
  if (await waitUntil(gone, IMMEDIATE_SHUTDOWN_MS, signal)) return;
  throw inUse(cluster, `by a PostgreSQL server (pid ${pid}) that does not stop; stop it and start again`);
}

function inUseByService(cluster: Cluster, pid: number): EmbeddedPostgresError {
  return inUse(cluster, `by another chat service (pid ${pid})`);
}

function inUse(
  cluster: Cluster,
  by: string,
  options?: ConstructorParameters<typeof EmbeddedPostgresError>[1],
): EmbeddedPostgresError {
  return new EmbeddedPostgresError(`the data folder ${cluster.dir} is in use ${by}`, options);
}
