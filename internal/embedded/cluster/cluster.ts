import { type Stats, statSync } from 'node:fs';
import { access, chmod, constants, lchown, mkdir, readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from '../binaries/binaries.ts';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { explainSystemError } from '../errors/explain-failure.ts';
import { canReach, type OsUser } from '../system/os-user.ts';
import { createCluster } from './init-cluster.ts';
import { type Cluster, PASSWORD_FILE, type Site } from './site.ts';

/** Resolves with the path of the data folder: `<dataDir>/postgres`, or the target of that link. Creates `dataDir`. */
export async function clusterFolder(dataDir: string): Promise<string> {
  try {
    await mkdir(dataDir, { recursive: true });
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    const dir = join(await realpath(dataDir), 'postgres');
    return await realpath(dir).catch(() => dir);
  } catch (error) {
    throw explainSystemError(`use the data folder ${dataDir}`, error);
  }
}

/** Prepares the data folder for a server, and creates it if it is absent or empty. Throws if the folder holds anything else, which is left as it is. */
export async function openCluster(
  dir: string,
  programs: string,
  user: OsUser | undefined,
  { version }: Binaries,
  log: (line: string) => void,
): Promise<Cluster> {
  try {
    const hidden = user !== undefined && !(await canReach(join(dir, '..'), user));
    if (hidden && process.platform !== 'linux') {
      throw new EmbeddedPostgresError(
        `the server's user (uid ${user.uid}) cannot reach ${dir}; use another data folder`,
      );
    }
    const site: Site = { programs, user, dir, hidden };
    if (await isAbsent(dir)) await createCluster(site, log);
    checkOwner(user, dir);
    await checkVersion(dir, version);
    if (user) await giveTo(user, dir);
    if (statSync(dir).mode & 0o027) await chmod(dir, 0o700);
    return { ...site, password: (await readFile(join(dir, PASSWORD_FILE), 'utf8')).trim() };
  } catch (error) {
    throw explainSystemError(`open the data folder ${dir}`, error);
  }
}

async function isAbsent(dir: string): Promise<boolean> {
  const folder = statSync(dir, { throwIfNoEntry: false });
  return folder === undefined || (folder.isDirectory() && mayRead(folder) && (await readdir(dir)).length === 0);
}

function mayRead({ uid }: Stats): boolean {
  const self = process.getuid?.();
  return self === 0 || self === uid;
}

function checkOwner(user: OsUser | undefined, dir: string): void {
  const folder = statSync(dir);
  if (user || mayRead(folder)) return;
  throw new EmbeddedPostgresError(
    `the data folder ${dir} belongs to another user (uid ${folder.uid}); start as that user or as root`,
  );
}

/** PostgreSQL starts only if its user owns the data folder, which may differ after a copy or a restored backup. */
async function giveTo({ uid, gid }: OsUser, dir: string): Promise<void> {
  if (statSync(dir).uid === uid) return;
  for (const entry of await readdir(dir, { recursive: true })) await lchown(join(dir, entry), uid, gid);
  // The folder itself is last: its owner shows that the rest is done.
  await lchown(dir, uid, gid);
}

async function checkVersion(dir: string, version: string): Promise<void> {
  const found = await readFile(join(dir, 'PG_VERSION'), 'utf8').catch((cause) => {
    throw new EmbeddedPostgresError(`${dir} is not a PostgreSQL data folder; move it away and start again`, { cause });
  });
  const major = version.split('.')[0];
  if (found.trim() === major) return;
  throw new EmbeddedPostgresError(
    `the data folder ${dir} was made by PostgreSQL ${found.trim()}, the bundled one is ${major}; move it with pg_dump or pg_upgrade`,
  );
}
