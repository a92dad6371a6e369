import { Backoff } from '../../pkg/backoff/backoff.ts';
import { locateBinaries } from './binaries/binaries.ts';
import { reachableBinaries } from './binaries/binaries-cache.ts';
import { clusterFolder, openCluster } from './cluster/cluster.ts';
import { SUPERUSER } from './cluster/site.ts';
import { EmbeddedPostgresError } from './errors/embedded-postgres-error.ts';
import { freePort } from './server/free-port.ts';
import { type Launched, type LaunchPlan, launch } from './server/launch.ts';
import { chooseServerUser } from './system/os-user.ts';

const SILENCE_MS = 60_000;
const MAX_QUICK_FAILURES = 5;
const QUICK_MS = 10_000;
/** The waits before a server that died is started again. They need no jitter: only this process starts it. */
const RESTART_PAUSES = { firstMs: 50, factor: 3, maxMs: 10_000, jitter: 'none' } as const;

export interface EmbeddedPostgresOptions {
  /** The data folder of PostgreSQL is `<dataDir>/postgres`. It is created if it does not exist. */
  readonly dataDir: string;
  /** Takes each line of the server's log, and of this class's own. */
  readonly log?: (line: string) => void;
  /** PostgreSQL's settings by name. The settings that keep data safe and the server private cannot be changed. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The database that `dsn` names. It is created if it does not exist. Default: `chat`. */
  readonly database?: string;
  /** How long a starting server may write nothing before it counts as failed, in milliseconds. Default: 60,000. */
  readonly startTimeoutMs?: number;
}

/**
 * A PostgreSQL server as a child process, on a port of the loopback interface.
 *
 * Only one service at a time uses a data folder; a second one fails to start. A server that dies is started again on the same port, so `dsn` stays
 * valid from start to stop. If a service is killed, the next start on its data folder stops the server that was left.
 */
export class EmbeddedPostgres {
  /** The address for clients, with the password. */
  readonly dsn: string;
  /** Resolves when the server is down for good: with undefined after `stop`, with an error if it could not be started again. */
  readonly exited: Promise<EmbeddedPostgresError | undefined>;
  readonly #plan: LaunchPlan;
  readonly #stopping: AbortController;
  #current: Launched;

  private constructor(plan: LaunchPlan, launched: Launched) {
    this.#plan = plan;
    this.#current = launched;
    this.#stopping = new AbortController();
    const { cluster, database } = plan;
    const path = encodeURIComponent(database);
    this.dsn = `postgres://${SUPERUSER}:${cluster.password}@127.0.0.1:${launched.port}/${path}`;
    this.exited = this.#supervise();
  }

  /**
   * Starts the server on `dataDir`, and creates the database there at the first start. Throws {@link EmbeddedPostgresError} if it cannot start, and
   * the signal's reason if that aborts. Nothing is left running then.
   */
  static async start(
    options: EmbeddedPostgresOptions,
    signal = new AbortController().signal,
  ): Promise<EmbeddedPostgres> {
    const {
      dataDir,
      database = 'chat',
      settings = {},
      startTimeoutMs: silenceMs = SILENCE_MS,
      log = () => {},
    } = options;
    const binaries = locateBinaries();
    const dir = await clusterFolder(dataDir);
    const user = await chooseServerUser(dir, log);
    const programs = await reachableBinaries(binaries, user, log);
    const cluster = await openCluster(dir, programs, user, binaries, log);
    const plan = { cluster, database, settings, silenceMs, log };
    return new EmbeddedPostgres(plan, await launch(plan, freePort, signal));
  }

  /** The server's process id. It changes when the server is started again. */
  get pid(): number {
    return this.#current.postmaster.pid;
  }

  /** Stops the server. Resolves when it has ended. Twice is harmless. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await shutDown(this.#current);
    await this.exited;
  }

  async #supervise(): Promise<EmbeddedPostgresError | undefined> {
    const { log } = this.#plan;
    const { signal } = this.#stopping;
    const pauses = new Backoff(RESTART_PAUSES);
    let failures = 0;
    let lastError: unknown;
    for (;;) {
      const launchedAt = performance.now();
      const how = await this.#current.postmaster.exited;
      await this.#current.owner.release();
      if (signal.aborted) return undefined;
      if (performance.now() - launchedAt > QUICK_MS) {
        failures = 0;
        pauses.reset();
      }
      log(`PostgreSQL (pid ${this.pid}) ${how}; starting it again`);
      do {
        if (failures === MAX_QUICK_FAILURES) return givenUp(lastError ?? how);
        failures += 1;
        lastError = await this.#relaunch(pauses);
        if (signal.aborted) return undefined;
      } while (lastError);
    }
  }

  /** Starts the server again after a pause. Resolves with the error if it did not start. */
  async #relaunch(pauses: Backoff): Promise<unknown> {
    const { signal } = this.#stopping;
    const { log } = this.#plan;
    const { port } = this.#current;
    try {
      await pauses.wait(signal);
      signal.throwIfAborted();
      this.#current = await launch(this.#plan, () => port, signal);
      if (signal.aborted) await shutDown(this.#current);
      else log(`PostgreSQL is back (pid ${this.pid})`);
      return undefined;
    } catch (error) {
      if (!signal.aborted) log(`PostgreSQL did not start again: ${(error as Error).message}`);
      return error;
    }
  }
}

async function shutDown({ owner, postmaster }: Launched): Promise<void> {
  await Promise.all([owner.release(), postmaster.stop()]);
}

function givenUp(cause: unknown): EmbeddedPostgresError {
  const why = cause instanceof Error ? cause.message : cause;
  return new EmbeddedPostgresError(`the bundled PostgreSQL cannot be kept running: ${why}`, { cause });
}
