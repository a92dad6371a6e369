import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { EmbeddedPostgres } from '../../internal/embedded/embedded-postgres.ts';

const run = promisify(execFile);

/** The size of the database's disk, small enough to be filled, in megabytes. */
const diskMegabytes = 600;

/** A PostgreSQL that restarts whenever it dies; with a disk of its own, if one can be mounted. */
export class Database {
  readonly #folder: string;
  /** True if the disk can be filled, else the reason why not. */
  readonly fillable: true | string;
  #server: EmbeddedPostgres;
  #stopping = false;

  private constructor(folder: string, fillable: true | string, server: EmbeddedPostgres) {
    this.#folder = folder;
    this.fillable = fillable;
    this.#server = server;
    this.#keep().catch(() => {});
  }

  /** Throws when it cannot start or the signal aborts; then nothing stays mounted or running. */
  static async start(folder: string, signal: AbortSignal): Promise<Database> {
    await mkdir(folder, { recursive: true });
    const fillable = await mountDisk(folder);
    try {
      return new Database(folder, fillable, await startServer(folder, signal));
    } catch (error) {
      if (fillable === true) await unmount(folder);
      throw error;
    }
  }

  get dsn(): string {
    return this.#server.dsn;
  }

  get port(): number {
    return Number(new URL(this.#server.dsn).port);
  }

  /** Kills all its processes with SIGKILL. */
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

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#signal('SIGCONT');
    await this.#server.stop();
    if (this.fillable === true) await unmount(this.#folder);
  }

  /** EmbeddedPostgres restarts the server, but gives up at some point: then this starts another one on the same data. */
  async #keep(): Promise<void> {
    while (!this.#stopping) {
      await this.#server.exited;
      while (!this.#stopping) {
        try {
          this.#server = await startServer(this.#folder);
          break;
        } catch {
          await sleep(500);
        }
      }
    }
    if (this.#stopping) await this.#server.stop();
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

function startServer(folder: string, signal?: AbortSignal): Promise<EmbeddedPostgres> {
  const settings = { max_connections: '150', max_wal_size: '96MB', min_wal_size: '32MB' };
  return EmbeddedPostgres.start({ dataDir: join(folder, 'data'), settings }, signal);
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
