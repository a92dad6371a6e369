import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { isAlive } from '../../embedded/system/process-state.ts';
import { waitUntil } from '../../embedded/system/wait-until.ts';
import { serverPid } from '../../embedded/testing/test-bench.ts';
import { programEnv } from './program-env.ts';

type Program = 'server' | 'auth-server' | 'gateway' | 'message-writer';

const thisRelease = fileURLToPath(new URL('../../../', import.meta.url));

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Runs the service, or one of its parts, as a process of its own. Kills it, with its database, when the test ends. */
export class ChildService {
  /** Resolves when the process and its output have ended. */
  readonly exited: Promise<Exit>;
  /** The output so far. */
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.exited = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  }

  /**
   * Starts the process with only these settings of the service; undefined removes one that all tests have. Does not wait until it is ready. `release` is the folder with the code of another
   * release.
   */
  static spawn(
    env: Record<string, string | undefined>,
    program: Program = 'server',
    release = thisRelease,
  ): ChildService {
    const settings = {
      ADMIN: 'false',
      GRPC_PORT: '0',
      HTTP_PORT: '0',
      AUTH_ISSUER: 'chat-service',
      AUTH_GUESTS: 'true',
      LOG_FORMAT: 'json',
      RATE_LIMIT_MESSAGES: '0',
      RATE_LIMIT_CALLS: '0',
      RATE_LIMIT_GUESTS: '0',
      RATE_LIMIT_SIGN_INS: '0',
    };
    const child = spawn(process.execPath, [join(release, 'cmd', program, 'main.ts')], {
      env: { ...programEnv(), ...settings, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const service = new ChildService(child);
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await service.exited;
    });
    return service;
  }

  /** Starts the service and waits until it is ready. */
  static async start(
    env: Record<string, string | undefined>,
    program: Program = 'server',
    release = thisRelease,
  ): Promise<ChildService> {
    const service = ChildService.spawn(env, program, release);
    await service.ready();
    return service;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** `host:port` */
  get address(): string {
    const address = /gRPC +(\S+:\d+)/.exec(this.stderr)?.[1];
    if (!address) throw new Error(`the service is not ready: ${this.stderr}`);
    return address;
  }

  /** `http://host:port` */
  get url(): string {
    const url = /HTTP +(\S+:\d+)/.exec(this.stderr)?.[1];
    if (!url) throw new Error(`the gateway is not ready: ${this.stderr}`);
    return url;
  }

  async ready(timeoutMs = 60_000): Promise<void> {
    const ended = () => this.#child.exitCode !== null || this.#child.signalCode !== null;
    await waitUntil(() => this.stderr.includes('is ready') || ended(), timeoutMs);
    if (ended()) throw new Error(`it ended at once: ${this.stderr}`);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The log lines so far. */
  get logs(): Record<string, unknown>[] {
    const lines = this.stdout.split('\n').slice(0, -1);
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** The resident memory of the process, in bytes. */
  async residentBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024;
  }
}

/** Creates a folder for the bundled PostgreSQL. When the test ends, a server that still runs in it is stopped and the folder removed. */
export async function newDataDir(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'chat-data-'));
  onTestFinished(async () => {
    const pid = databasePid(dataDir);
    if (pid !== undefined) process.kill(pid, 'SIGQUIT');
    if (pid !== undefined) await waitUntil(() => !isAlive(pid), 60_000);
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10 });
  });
  return dataDir;
}

/** Returns the process id of the running PostgreSQL of a data folder. */
export function databasePid(dataDir: string): number | undefined {
  const pid = serverPid(dataDir);
  return pid !== undefined && isAlive(pid) ? pid : undefined;
}
