import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { explainOutput } from '../errors/explain-failure.ts';
import { isAlive } from '../system/process-state.ts';
import { programEnvironment } from '../system/program-environment.ts';
import { PASSWORD_FILE, programPaths, type Site, SUPERUSER } from './site.ts';

const INCOMPLETE = '.postgres-incomplete-';
const LEFTOVER_AGE_MS = 600_000;
const underWay = new Set<string>();
const run = promisify(execFile);

/**
 * Creates the data folder of `site` under another name, and renames it when it is complete and on disk: a start that is killed leaves no incomplete
 * folder. If another start was faster, its folder is kept.
 */
export async function createCluster(site: Site, log: (line: string) => void): Promise<void> {
  const parent = dirname(site.dir);
  await removeLeftovers(parent);
  const name = `${INCOMPLETE}${process.pid}-${randomBytes(4).toString('hex')}`;
  const temporary = join(parent, name);
  underWay.add(name);
  try {
    log(`creating the database in ${site.dir}`);
    const data = join(temporary, 'data');
    await initialise({ ...site, dir: data }, temporary);
    await rename(data, site.dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    await syncFolder(parent);
  } finally {
    await rm(temporary, { recursive: true, force: true });
    underWay.delete(name);
  }
}

async function initialise(site: Site, temporary: string): Promise<void> {
  const password = randomBytes(24).toString('base64url');
  await mkdir(temporary, { mode: 0o700 });
  await mkdir(site.dir, { mode: 0o700 });
  await writePassword(join(temporary, PASSWORD_FILE), password, site);
  if (site.user) for (const dir of [temporary, site.dir]) await chown(dir, site.user.uid, site.user.gid);
  const { cwd, dataFolder } = programPaths(site);
  const options = ['-D', dataFolder, '-U', SUPERUSER, '--pwfile', `${dataFolder}/../${PASSWORD_FILE}`];
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const how = { ...site.user, cwd, env: programEnvironment() };
  await run(join(site.programs, 'bin', 'initdb'), [...options, '--auth=scram-sha-256', ...locale], how).catch(
    (error: Error & { stderr?: string }) => {
      throw explainOutput('initdb', dirname(temporary), (error.stderr || error.message).trim().split('\n'));
    },
  );
  await writePassword(join(site.dir, PASSWORD_FILE), password, site);
  await syncFolder(site.dir);
}

async function writePassword(path: string, password: string, { user }: Site): Promise<void> {
  await writeFile(path, `${password}\n`, { mode: 0o600, flag: 'wx', flush: true });
  await chmod(path, 0o600);
  if (user) await chown(path, user.uid, user.gid);
}

async function syncFolder(dir: string): Promise<void> {
  await using folder = await open(dir, 'r');
  await folder.sync();
}

async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(INCOMPLETE) || underWay.has(name)) continue;
    const path = join(parent, name);
    const pid = Number.parseInt(name.slice(INCOMPLETE.length), 10);
    const mtimeMs = await stat(path).then(
      (s) => s.mtimeMs,
      () => 0,
    );
    // Another process may have the id by now, most of all in containers, so the age counts as well.
    if (pid !== process.pid && isAlive(pid) && Date.now() - mtimeMs < LEFTOVER_AGE_MS) continue;
    // A folder that cannot be removed now, because its initdb still writes, is left to the next start.
    await rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }
}
