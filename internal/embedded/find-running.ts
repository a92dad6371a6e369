import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterFolder } from './cluster/cluster.ts';
import { readLockFile } from './cluster/lock-file.ts';
import { PASSWORD_FILE, SUPERUSER } from './cluster/site.ts';
import { openSession, readOccupancy } from './server/owner-session.ts';
import { isAlive } from './system/process-state.ts';

/**
 * Resolves with the address, and password, of the server that a living service runs on the data folder; undefined if there is none. Programs that work
 * beside the service may use the server, and must not stop it.
 */
export async function findRunning(dataDir: string, database = 'chat'): Promise<string | undefined> {
  const dir = await clusterFolder(dataDir);
  const lockFile = await readLockFile(dir);
  if (!lockFile?.ready || !isAlive(lockFile.pid)) return undefined;
  const password = (await readFile(join(dir, PASSWORD_FILE), 'utf8')).trim();
  // If a server does not answer, the caller's own start reports why.
  const session = await openSession({ password }, lockFile.port).catch(() => undefined);
  if (!session) return undefined;
  try {
    const { holderPid } = await readOccupancy(session);
    if (holderPid === undefined || !isAlive(holderPid)) return undefined;
    return `postgres://${SUPERUSER}:${password}@127.0.0.1:${lockFile.port}/${encodeURIComponent(database)}`;
  } finally {
    await session.client.end();
  }
}
