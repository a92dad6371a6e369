import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect } from 'vitest';
import { EmbeddedPostgres, type EmbeddedPostgresOptions } from '../embedded-postgres.ts';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { isAlive } from '../system/process-state.ts';
import { waitUntil } from '../system/wait-until.ts';

const FIXTURE = fileURLToPath(new URL('./embedded-postgres.fixture.ts', import.meta.url));

/** What the fixture prints when it has started or failed. */
export interface Started {
  readonly dsn: string;
  readonly pid: number;
  readonly error?: string;
}

/** Temporary folders, servers and services of one test; `clean` ends and removes all of them. */
export class TestBench {
  readonly #folders: string[] = [];
  readonly #servers: EmbeddedPostgres[] = [];
  readonly #services: ChildProcess[] = [];

  /** A new data folder that every user can pass; with 0o700 only its owner. */
  folder(mode = 0o755): string {
    const folder = mkdtempSync(join(tmpdir(), 'embedded-postgres-'));
    chmodSync(folder, mode);
    this.#folders.push(folder);
    return folder;
  }

  async start(
    dataDir: string,
    options: Partial<EmbeddedPostgresOptions> = {},
    signal?: AbortSignal,
  ): Promise<EmbeddedPostgres> {
    const server = await EmbeddedPostgres.start({ dataDir, ...options }, signal);
    this.#servers.push(server);
    return server;
  }

  /** Runs the fixture in a process and process group of its own. */
  service(dataDir: string, uid?: number): ChildProcess {
    const args = uid === undefined ? [FIXTURE, dataDir] : [FIXTURE, dataDir, String(uid)];
    const env = { ...process.env, TEST_SECRET: 'do-not-inherit' };
    const service = spawn(process.execPath, args, { detached: true, env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#services.push(service);
    return service;
  }

  async clean(): Promise<void> {
    for (const server of this.#servers.splice(0)) await server.stop();
    for (const service of this.#services.splice(0)) await kill(service);
    for (const folder of this.#folders.splice(0)) {
      await killServer(folder);
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    }
  }
}

/** Resolves with the fixture's first line. */
export async function started(service: ChildProcess): Promise<Started> {
  const [line] = await once(createInterface({ input: service.stdout! }), 'line');
  return JSON.parse(line) as Started;
}

/** Kills the process as a crash would, and resolves when it is gone. */
export async function kill(service: ChildProcess): Promise<void> {
  if (service.exitCode !== null || service.signalCode !== null) return;
  const exited = once(service, 'exit');
  service.kill('SIGKILL');
  await exited;
}

/** The process id in the data folder's lock file. */
export function serverPid(dataDir: string): number | undefined {
  const file = join(dataDir, 'postgres', 'postmaster.pid');
  return existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : undefined;
}

/** Runs one statement on a connection of its own. */
export async function query<T extends pg.QueryResultRow>(dsn: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: dsn });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function killServer(dataDir: string): Promise<void> {
  const pid = serverPid(dataDir);
  if (pid === undefined || pid === process.pid || !isAlive(pid)) return;
  process.kill(pid, 'SIGQUIT');
  await waitUntil(() => !isAlive(pid), 10_000);
}

/** The message of the error with which a start fails, in one line. */
export async function failureOf(start: Promise<unknown>): Promise<string> {
  const error = await start.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EmbeddedPostgresError);
  const { message } = error as EmbeddedPostgresError;
  expect(message).not.toContain('\n');
  return message;
}
