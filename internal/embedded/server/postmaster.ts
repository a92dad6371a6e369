import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { readLockFile } from '../cluster/lock-file.ts';
import { type Cluster, programPaths } from '../cluster/site.ts';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { explainOutput, explainSystemError } from '../errors/explain-failure.ts';
import { programEnvironment } from '../system/program-environment.ts';
import { waitUntil } from '../system/wait-until.ts';
import { OWNER_SETTING } from './owner-session.ts';

const KEPT_LINES = 20;
const SHOWN_LINES = 3;
const LAST_OUTPUT_MS = 1_000;
const FAST_SHUTDOWN_MS = 30_000;
const IMMEDIATE_SHUTDOWN_MS = 5_000;

/** PostgreSQL's settings by name. */
export type Settings = Readonly<Record<string, string>>;

const DEFAULTS: Settings = { max_connections: '100', log_line_prefix: '[%p] ', log_checkpoints: 'off' };
/** The service's promises depend on these settings, so options cannot override them. */
const FIXED: Settings = {
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  logging_collector: 'off',
  log_destination: 'stderr',
};

/** One run of the server's main process. */
export class Postmaster {
  /** Resolves with the way the process ended, as in "ended with code 1". Never rejects. */
  readonly exited: Promise<string>;
  readonly #child: ChildProcess;
  readonly #cluster: Cluster;
  readonly #lines: string[] = [];
  #lastSignOfLife = performance.now();
  #running = true;

  private constructor(child: ChildProcess, cluster: Cluster, log: (line: string) => void) {
    this.#child = child;
    this.#cluster = cluster;
    createInterface({ input: child.stderr! }).on('line', (line) => {
      this.#lastSignOfLife = performance.now();
      this.#lines.push(line);
      if (this.#lines.length > KEPT_LINES) this.#lines.shift();
      log(line);
    });
    const closed = new Promise((resolve) => child.once('close', resolve));
    this.exited = new Promise((resolve) => {
      child.once('exit', async (code, signal) => {
        this.#running = false;
        // Its last lines may still be in the pipe. The wait is limited, because a process that outlives it can keep the pipe open.
        await Promise.race([closed, delay(LAST_OUTPUT_MS, undefined, { ref: false })]);
        resolve(signal ? `was ended by ${signal}` : `ended with code ${code}`);
      });
    });
  }

  /** Starts the process. It does not take connections yet. */
  static async spawn(
    cluster: Cluster,
    port: number,
    settings: Settings,
    log: (line: string) => void,
  ): Promise<Postmaster> {
    const { cwd, dataFolder } = programPaths(cluster);
    const own: Settings = { [OWNER_SETTING]: String(process.pid), port: String(port) };
    // PostgreSQL uses the last value of each setting.
    const options = [DEFAULTS, settings, FIXED, own].flatMap(toOptions);
    const child = spawn(join(cluster.programs, 'bin', 'postgres'), ['-D', dataFolder, ...options], {
      ...cluster.user,
      cwd,
      env: programEnvironment(),
      // A process group of its own, so that Ctrl-C in a terminal reaches the service only, which needs its database until it has drained.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      await once(child, 'spawn');
    } catch (error) {
      throw explainSystemError('run the bundled PostgreSQL', error);
    }
    return new Postmaster(child, cluster, log);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Resolves when the server takes connections. Throws if it ends before that, or writes nothing for `silenceMs`. */
  async ready(silenceMs: number, signal: AbortSignal): Promise<void> {
    const settled = async () => !this.#running || (await this.#isReady());
    for (let left = silenceMs; left > 0; left = silenceMs - (performance.now() - this.#lastSignOfLife)) {
      if (!(await waitUntil(settled, left, signal))) continue;
      if (this.#running) return;
      await this.exited;
      throw explainOutput('starting PostgreSQL', this.#cluster.dir, this.#lines);
    }
    const log = this.#lines.slice(-SHOWN_LINES).join(' | ') || 'nothing';
    throw new EmbeddedPostgresError(
      `the bundled PostgreSQL was not ready in ${silenceMs / 1000} s; its log ends with: ${log}`,
    );
  }

  /** Stops the server with a fast shutdown, which rolls open transactions back; then with an immediate one; then with SIGKILL. */
  async stop(): Promise<void> {
    this.#signal('SIGINT');
    if (await waitUntil(() => !this.#running, FAST_SHUTDOWN_MS)) return;
    this.#signal('SIGQUIT');
    if (await waitUntil(() => !this.#running, IMMEDIATE_SHUTDOWN_MS)) return;
    this.#signal('SIGKILL');
    await this.exited;
  }

  #signal(name: NodeJS.Signals): void {
    if (this.#running) this.#child.kill(name);
  }

  async #isReady(): Promise<boolean> {
    const lockFile = await readLockFile(this.#cluster.dir);
    return lockFile?.pid === this.pid && lockFile.ready;
  }
}

function toOptions(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
