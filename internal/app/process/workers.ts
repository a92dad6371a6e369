import cluster, { type Worker } from 'node:cluster';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { Backoff } from '../../../pkg/backoff/backoff.ts';
import { sleep } from '../../../pkg/backoff/sleep.ts';
import type { ReloadableValues } from '../../config/live/settings.ts';
import type { WorkerSockets } from '../../transport/admin/routes/debug.ts';

/** A message from a worker to the process that started it. */
export interface WorkerMessage extends Ports {
  kind: 'ready';
  /** Where the worker answers operators; absent if it does not. */
  adminSocket: string | undefined;
}

/** A message to a worker. */
export type WorkerCommand = { kind: 'stop' } | { kind: 'settings'; values: ReloadableValues };

export interface Ports {
  grpcPort: number;
  httpPort: number | undefined;
}

/** The pauses before a worker that did not last is started again. They need no jitter: all workers are on one machine. */
const pausesBeforeRestart = { firstMs: 100, maxMs: 10_000, jitter: 'none' } as const;

/** A worker that ends within this time of being ready did not last, in milliseconds. */
const lastingMs = 30_000;

interface Options {
  count: number;
  /** Variables in addition to this process's environment. */
  env: Record<string, string>;
  /** The reloadable settings in force, which a worker takes once it is ready. */
  settings: () => ReloadableValues;
  log: Logger;
}

/** Processes of the same program that share the ports of this one. A worker that dies is replaced. */
export class Workers {
  readonly #options: Options;
  readonly #workers = new Set<Worker>();
  readonly #ready = new Set<Worker>();
  /** By the number of the worker. A worker that replaces another has its number. */
  readonly #sockets = new Map<number, string>();
  readonly #stopping = new AbortController();

  constructor(options: Options) {
    this.#options = options;
  }

  /** The number of workers that serve clients. */
  get ready(): number {
    return this.#ready.size;
  }

  /** Where the workers answer operators. */
  get sockets(): WorkerSockets {
    return { count: this.#options.count, find: (number) => this.#sockets.get(number) };
  }

  /** Resolves with the ports when all workers are ready. If one of them ends before that, stops the others and throws. */
  async start(): Promise<Ports> {
    try {
      const ports = await Promise.all(Array.from({ length: this.#options.count }, (_, i) => this.#fork(i + 1).ready));
      return ports[0]!;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Tells the workers the reloadable settings in force. */
  reload(): void {
    const command: WorkerCommand = { kind: 'settings', values: this.#options.settings() };
    for (const worker of this.#ready) tell(worker, command);
  }

  /** Resolves when every worker has drained and ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(
      [...this.#workers].map(async (worker) => {
        const ended = new Promise((resolve) => worker.once('exit', resolve));
        tell(worker, { kind: 'stop' });
        await ended;
      }),
    );
  }

  /** Starts a worker. `pauses` also serves the workers that replace it. */
  #fork(number: number, pauses = new Backoff(pausesBeforeRestart)): { ready: Promise<Ports> } {
    const { env, log, settings } = this.#options;
    const worker = cluster.fork(env);
    this.#workers.add(worker);
    let readyAt: number | undefined;
    const ready = new Promise<Ports>((resolve, reject) => {
      worker.on('message', (message: WorkerMessage) => {
        if (message?.kind !== 'ready') return;
        readyAt = performance.now();
        this.#ready.add(worker);
        if (message.adminSocket !== undefined) this.#sockets.set(number, message.adminSocket);
        // They may have changed since it was started.
        tell(worker, { kind: 'settings', values: settings() });
        log.info({ worker: worker.process.pid }, 'a worker is ready');
        resolve(message);
      });
      worker.on('exit', (code, signal) => {
        this.#workers.delete(worker);
        this.#ready.delete(worker);
        this.#forgetSocket(number);
        // The worker has logged the reason itself.
        reject(new Error(`a worker ended before it was ready (${signal ?? code})`));
        if (this.#stopping.signal.aborted || readyAt === undefined) return;
        const lasted = performance.now() - readyAt >= lastingMs;
        if (lasted) pauses.reset();
        const afterMs = lasted ? 0 : pauses.next();
        log.error({ worker: worker.process.pid, code, signal, afterMs }, 'a worker died: starting another');
        void this.#restart(number, afterMs, pauses);
      });
      worker.on('error', (err) => log.warn({ err }, 'a worker cannot be told anything'));
    });
    return { ready };
  }

  /** A worker that was killed has left its socket behind. Never throws. */
  #forgetSocket(number: number): void {
    const path = this.#sockets.get(number);
    if (path === undefined) return;
    this.#sockets.delete(number);
    rmSync(dirname(path), { recursive: true, force: true });
  }

  /** Starts workers until one is ready or all are being stopped. Never throws. */
  async #restart(number: number, afterMs: number, pauses: Backoff): Promise<void> {
    const { signal } = this.#stopping;
    await sleep(afterMs, signal);
    while (!signal.aborted) {
      try {
        await this.#fork(number, pauses).ready;
        return;
      } catch (err) {
        if (signal.aborted) return;
        this.#options.log.error({ err }, 'a worker does not start: trying again');
        await pauses.wait(signal);
      }
    }
  }
}

function tell(worker: Worker, command: WorkerCommand): void {
  if (worker.isConnected()) worker.send(command);
}
