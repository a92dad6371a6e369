import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sleep } from '../../pkg/backoff/sleep.ts';
import { SUPERUSER } from '../embedded/cluster/site.ts';
import { waitUntil } from '../embedded/system/wait-until.ts';
import { copyData } from '../servers/base-backup.ts';
import { PostgresProcess } from '../servers/postgres-process.ts';
import { Link } from './link.ts';
import { type FoundDatabase, readDatabase } from './read-database.ts';

const run = promisify(execFile);

/** The size of the database's disk, small enough to be filled, in megabytes. */
const diskMegabytes = 800;
const name = 'chat';
const settings = { max_connections: '150', max_wal_size: '96MB', min_wal_size: '32MB', wal_keep_size: '64MB' };
/** How long a server may take to follow another, or to take its place, in milliseconds. */
const patienceMs = 30_000;

/** Told when another server takes the place of the primary. */
export interface Replacement {
  /** From now on the old primary must not acknowledge anything. */
  begins(): void;
  /** Called before anybody can reach the new primary, with what is in it. */
  found(database: FoundDatabase): void;
}

/** A primary PostgreSQL that restarts whenever it dies, until another one takes its place; with a disk of its own, if one can be mounted. */
export class Database {
  readonly #folder: string;
  /** True if the disk can be filled, else the reason why not. */
  readonly fillable: true | string;
  readonly #stopping = new AbortController();
  #server: PostgresProcess;
  #serverFolder: string;
  #copies = 0;
  #isReplaced = false;
  #kept: Promise<void>;
  /** Settles with the last replacement. */
  #replacement: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, fillable: true | string, server: PostgresProcess, serverFolder: string) {
    this.#folder = folder;
    this.fillable = fillable;
    this.#server = server;
    this.#serverFolder = serverFolder;
    this.#kept = this.#keep();
  }

  /** Throws when it cannot start or the signal aborts; then nothing stays mounted or running. */
  static async start(folder: string, signal: AbortSignal): Promise<Database> {
    await mkdir(folder, { recursive: true });
    const fillable = await mountDisk(folder);
    let server: PostgresProcess | undefined;
    try {
      const serverFolder = join(folder, 'data');
      server = await PostgresProcess.start(serverFolder, settings);
      await server.createDatabase(name);
      signal.throwIfAborted();
      return new Database(folder, fillable, server, serverFolder);
    } catch (error) {
      await server?.stop();
      if (fillable === true) await unmount(folder);
      throw error;
    }
  }

  get dsn(): string {
    return this.#server.dsn(name);
  }

  /** The port of the primary. It changes when the primary starts again, or is replaced. */
  get port(): number {
    return this.#server.port;
  }

  /** Kills all processes of the primary with SIGKILL. */
  kill(): void {
    this.#signal('SIGKILL');
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#signal(name);
  }

  /** Fills the disk; returns how to free it again. */
  async fill(): Promise<() => Promise<void>> {
    const path = join(this.#folder, 'filler');
    const file = await open(path, 'w');
    const block = Buffer.alloc(1_048_576);
    try {
      for (let i = 0; i < diskMegabytes * 2; i += 1) await file.write(block);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      await file.close();
    }
    return () => rm(path, { force: true });
  }

  /** Kills the primary and promotes an asynchronous standby that lacks what was committed in the last `losesMs` milliseconds. */
  failOver(losesMs: number, replacement: Replacement): Promise<void> {
    return this.#replace(replacement, async (folder, take) => {
      await writeFile(join(folder, 'postgres', 'standby.signal'), '');
      const replication = await Link.to('replication', () => this.port);
      const source = `host=127.0.0.1 port=${replication.port} user=${SUPERUSER} password=${this.#server.password}`;
      const standby = await PostgresProcess.start(folder, { ...settings, primary_conninfo: source });
      try {
        const follows = `select from pg_stat_wal_receiver where status = 'streaming'`;
        await until(async () => (await standby.query(follows)).length === 1, 'the standby does not follow');
        replication.cut();
        await sleep(losesMs, this.#stopping.signal);
        await this.#end();
        replacement.begins();
        await standby.query('select pg_promote(false)');
        await take(standby);
      } catch (error) {
        await standby.stop('SIGKILL');
        throw error;
      } finally {
        await replication.close();
      }
    });
  }

  /** Kills the primary and starts a server from a base backup that is `losesMs` milliseconds old. */
  restore(losesMs: number, replacement: Replacement): Promise<void> {
    return this.#replace(replacement, async (folder, take) => {
      await writeFile(join(folder, 'postgres', 'recovery.signal'), '');
      await sleep(losesMs, this.#stopping.signal);
      await this.#end();
      replacement.begins();
      // The backup has all of the log that it needs: there is no archive.
      const recovery = {
        restore_command: 'false',
        recovery_target: 'immediate',
        recovery_target_action: 'promote',
      };
      const restored = await PostgresProcess.start(folder, { ...settings, ...recovery });
      try {
        await take(restored);
      } catch (error) {
        await restored.stop('SIGKILL');
        throw error;
      }
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#signal('SIGCONT');
    await this.#replacement;
    await this.#server.stop();
    await this.#kept;
    if (this.fillable === true) await unmount(this.#folder);
  }

  #replace(
    replacement: Replacement,
    prepare: (folder: string, take: (server: PostgresProcess) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const replaced = this.#copyAndReplace(replacement, prepare);
    // `stop` only waits for it. Its failure is thrown to the caller of `failOver` or `restore`.
    this.#replacement = replaced.catch(() => {});
    return replaced;
  }

  /** Copies the primary's data, and lets `prepare` make another server of it. If that fails, the primary starts again. */
  async #copyAndReplace(
    { found }: Replacement,
    prepare: (folder: string, take: (server: PostgresProcess) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    this.#copies += 1;
    const before = this.#serverFolder;
    const folder = join(this.#folder, `copy-${this.#copies}`);
    try {
      await copyData(this.#server, join(folder, 'postgres'));
      await prepare(folder, async (server) => {
        const isPrimary = async () =>
          (await server.query<{ standby: boolean }>('select pg_is_in_recovery() as standby'))[0]?.standby === false;
        await until(isPrimary, 'the new server does not become the primary');
        const database = await readDatabase((sql) => server.query(sql, name));
        this.#stopping.signal.throwIfAborted();
        found(database);
        this.#server = server;
        this.#serverFolder = folder;
      });
    } finally {
      if (this.#isReplaced) {
        this.#isReplaced = false;
        this.#kept = this.#kept.then(() => this.#keep());
      }
      await rm(this.#serverFolder === folder ? before : folder, { recursive: true, force: true, maxRetries: 10 });
    }
  }

  /** Ends the primary for good, unless its replacement fails. */
  async #end(): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    this.#isReplaced = true;
    this.kill();
    await this.#server.ended();
  }

  /** Starts the primary again whenever it has died. Ends when the primary is replaced, or the database stops. */
  async #keep(): Promise<void> {
    for (;;) {
      await this.#server.ended();
      if (this.#isReplaced || this.#stopping.signal.aborted) return;
      try {
        const folder = this.#serverFolder;
        const server = await PostgresProcess.start(folder, settings);
        const isWanted = !this.#stopping.signal.aborted && !this.#isReplaced && folder === this.#serverFolder;
        if (isWanted) this.#server = server;
        else await server.stop();
      } catch {
        await sleep(500, this.#stopping.signal);
      }
    }
  }

  #signal(name: NodeJS.Signals): void {
    const { pid } = this.#server;
    for (const one of [pid, ...childrenOf(pid)]) {
      try {
        process.kill(one, name);
      } catch {
        // The process has just ended.
      }
    }
  }
}

async function until(condition: () => Promise<boolean>, failure: string): Promise<void> {
  if (!(await waitUntil(condition, patienceMs))) throw new Error(failure);
}

/** A disk in memory. Mounting it needs the rights of root. */
async function mountDisk(folder: string): Promise<true | string> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'that takes root on Linux';
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${diskMegabytes}m,mode=755`, 'chaos', folder]);
    return true;
  } catch (error) {
    return `no disk can be mounted (${(error as { stderr?: string }).stderr?.trim() ?? ''})`;
  }
}

/** Tries until it succeeds: killed processes may use the disk for another moment. */
async function unmount(folder: string): Promise<void> {
  await run('umount', ['-l', folder]);
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        // Field 4; the name in brackets may contain spaces.
        return (
          Number(
            readFileSync(`/proc/${pid}/stat`, 'utf8')
              .replace(/^.*\) /s, '')
              .split(' ')[1],
          ) === parent
        );
      } catch {
        return false;
      }
    });
}
