import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import { locateBinaries } from '../embedded/binaries/binaries.ts';
import { reachableBinaries } from '../embedded/binaries/binaries-cache.ts';
import { clusterFolder, openCluster } from '../embedded/cluster/cluster.ts';
import { programPaths, SUPERUSER } from '../embedded/cluster/site.ts';
import { freePort } from '../embedded/server/free-port.ts';
import { chooseServerUser } from '../embedded/system/os-user.ts';
import { programEnvironment } from '../embedded/system/program-environment.ts';
import { waitUntil } from '../embedded/system/wait-until.ts';

/** A PostgreSQL from the bundled programs, with any settings. It listens on 127.0.0.1 only, and is not started again when it dies. */
export class PostgresProcess {
  /** PostgreSQL's own data folder, inside the folder given to `start`. */
  readonly dataFolder: string;
  readonly password: string;
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, dataFolder: string, password: string, port: number) {
    this.#child = child;
    this.dataFolder = dataFolder;
    this.password = password;
    this.port = port;
  }

  /** Starts PostgreSQL on the folder's cluster, which is created if it is absent. Resolves when it accepts connections. */
  static async start(dataDir: string, settings: Readonly<Record<string, string>>): Promise<PostgresProcess> {
    const log = () => {};
    const binaries = locateBinaries();
    const dir = await clusterFolder(dataDir);
    const user = await chooseServerUser(dir, log);
    const programs = await reachableBinaries(binaries, user, log);
    const cluster = await openCluster(dir, programs, user, binaries, log);
    const { cwd, dataFolder } = programPaths(cluster);
    const port = await freePort();
    const own = { listen_addresses: '127.0.0.1', unix_socket_directories: '', port: String(port) };
    const options = Object.entries({ ...settings, ...own }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(join(programs, 'bin', 'postgres'), ['-D', dataFolder, ...options], {
      ...user,
      cwd,
      env: programEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-2_000);
    });
    const server = new PostgresProcess(child, dir, cluster.password, port);
    const ready = await waitUntil(() => child.exitCode !== null || server.#accepts(), 60_000);
    if (ready && child.exitCode === null) return server;
    await server.stop('SIGKILL');
    throw new Error(`PostgreSQL does not start: ${output}`);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Resolves when the process has ended. */
  async ended(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }

  /** The address of a database. */
  dsn(database: string): string {
    return `postgres://${SUPERUSER}:${this.password}@127.0.0.1:${this.port}/${database}`;
  }

  /** Creates an empty database and returns its DSN. `options` are those of CREATE DATABASE. */
  async createDatabase(name: string, options = ''): Promise<string> {
    await this.query(`create database ${name} ${options}`);
    return this.dsn(name);
  }

  /** Runs a statement as superuser, on a connection of its own. */
  async query<Row extends pg.QueryResultRow>(text: string, database = 'postgres'): Promise<Row[]> {
    const client = await this.connect(database);
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** Opens a connection as superuser. It may break without harm. */
  async connect(database = 'postgres'): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.dsn(database) });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  /** Stops PostgreSQL immediately, without saving its data, or kills it with SIGKILL. Calling it again is harmless. */
  async stop(signal: 'SIGQUIT' | 'SIGKILL' = 'SIGQUIT'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }

  async #accepts(): Promise<boolean> {
    try {
      await this.query('select');
      return true;
    } catch {
      return false;
    }
  }
}
