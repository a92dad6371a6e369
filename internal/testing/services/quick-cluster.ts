import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import { locateBinaries } from '../../embedded/binaries/binaries.ts';
import { reachableBinaries } from '../../embedded/binaries/binaries-cache.ts';
import { clusterFolder, openCluster } from '../../embedded/cluster/cluster.ts';
import { programPaths, SUPERUSER } from '../../embedded/cluster/site.ts';
import { freePort } from '../../embedded/server/free-port.ts';
import { chooseServerUser } from '../../embedded/system/os-user.ts';
import { programEnvironment } from '../../embedded/system/program-environment.ts';
import { waitUntil } from '../../embedded/system/wait-until.ts';

/** Settings for tests that do not kill PostgreSQL: it neither flushes to the disk nor vacuums, which matters only after a crash or in the long run. */
const settings = [
  ['fsync', 'off'],
  ['full_page_writes', 'off'],
  ['synchronous_commit', 'off'],
  ['autovacuum', 'off'],
  ['max_connections', '300'],
  ['listen_addresses', '127.0.0.1'],
  ['unix_socket_directories', ''],
];

export class QuickCluster {
  readonly #child: ChildProcess;
  readonly #url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  /** Creates a cluster in the folder. Resolves when it accepts connections. */
  static async start(dataDir: string): Promise<QuickCluster> {
    const log = () => {};
    const binaries = locateBinaries();
    const dir = await clusterFolder(dataDir);
    const user = await chooseServerUser(dir, log);
    const programs = await reachableBinaries(binaries, user, log);
    const cluster = await openCluster(dir, programs, user, binaries, log);
    const { cwd, dataFolder } = programPaths(cluster);
    const port = await freePort();
    const options = [...settings, ['port', String(port)]].flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(join(programs, 'bin', 'postgres'), ['-D', dataFolder, ...options], {
      ...user,
      cwd,
      env: programEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let output = '';
    child.stderr.on('data', (chunk) => (output += chunk));
    const server = new QuickCluster(child, `postgres://${SUPERUSER}:${cluster.password}@127.0.0.1:${port}/`);
    const ready = await waitUntil(() => child.exitCode !== null || server.#accepts(), 60_000);
    if (!ready || child.exitCode !== null) throw new Error(`PostgreSQL does not start: ${output.slice(-2_000)}`);
    return server;
  }

  /** Creates an empty database and returns its DSN. */
  async createDatabase(name: string): Promise<string> {
    const client = new pg.Client({ connectionString: `${this.#url}postgres` });
    await client.connect();
    await client.query(`create database ${name}`);
    await client.end();
    return this.#url + name;
  }

  /** Stops PostgreSQL immediately, without saving its data. */
  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGQUIT');
    await exited;
  }

  async #accepts(): Promise<boolean> {
    const client = new pg.Client({ connectionString: `${this.#url}postgres` });
    client.on('error', () => {});
    try {
      await client.connect();
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => {});
    }
  }
}
