import { execFile } from 'node:child_process';
import { type Stats, statSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { programEnvironment } from './program-environment.ts';

const run = (program: string, args: readonly string[]) =>
  promisify(execFile)(program, args, { env: programEnvironment() });
const SYSTEM_USER = 'postgres';

/** A user of the operating system, by ids. */
export interface OsUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Chooses the user that the server runs as; undefined: the user of this process. PostgreSQL refuses to run as root, so for root it is the owner of the
 * existing data folder, or else the system user `postgres`, which is created if it does not exist.
 */
export async function chooseServerUser(clusterDir: string, log: (line: string) => void): Promise<OsUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const folder = statSync(clusterDir, { throwIfNoEntry: false });
  if (folder && folder.uid !== 0) return { uid: folder.uid, gid: folder.gid };
  const existing = await findSystemUser();
  if (existing) return existing;
  await createSystemUser();
  const created = await findSystemUser();
  if (!created) throw new EmbeddedPostgresError(noUserMessage('it was created, but cannot be found'));
  log(`PostgreSQL does not run as root: created the system user "${SYSTEM_USER}" (uid ${created.uid}) for it`);
  return created;
}

/** Returns whether the permission bits let the user enter every folder above `path`, and enter or run `path` itself. */
export async function canReach(path: string, user: OsUser): Promise<boolean> {
  for (let current = await realpath(path); ; current = dirname(current)) {
    if (!mayEnter(await stat(current), user)) return false;
    if (current === dirname(current)) return true;
  }
}

function mayEnter({ mode, uid, gid }: Stats, user: OsUser): boolean {
  if (uid === user.uid) return (mode & 0o100) !== 0;
  if (gid === user.gid) return (mode & 0o010) !== 0;
  return (mode & 0o001) !== 0;
}

async function findSystemUser(): Promise<OsUser | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', SYSTEM_USER]), run('id', ['-g', SYSTEM_USER])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

async function createSystemUser(): Promise<void> {
  const shell = ['--shell', '/usr/sbin/nologin'];
  const shadow = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent', ...shell, SYSTEM_USER];
  const busybox = ['-S', '-D', '-H', '-h', '/nonexistent', '-s', '/sbin/nologin', SYSTEM_USER];
  try {
    await run('useradd', shadow).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return run('adduser', busybox);
    });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new EmbeddedPostgresError(noUserMessage(stderr?.trim() || message), { cause: error });
  }
}

function noUserMessage(detail: string): string {
  return (
    `PostgreSQL does not run as root and the system user "${SYSTEM_USER}" cannot be created (${detail}); ` +
    'start the service as an ordinary user, or set POSTGRES_DSN to use another PostgreSQL'
  );
}
