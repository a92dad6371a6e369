import cluster, { type Worker } from 'node:cluster';
import type { Logger } from 'pino';
import { Backoff } from '../../../pkg/backoff/backoff.ts';
import { sleep } from '../../../pkg/backoff/sleep.ts';

/** What a worker tells the process that started it. */
export type WorkerMessage = { kind: 'ready'; grpcPort: number; httpPort: number | undefined };

/** What it is told. */
export type WorkerCommand = 'stop';

export type Ports = Omit<WorkerMessage, 'kind'>;

/** The pauses before a worker that did not last is started again. They are noted in the log, and one machine needs no jitter. */
const pausesBeforeRestart = { firstMs: 100, maxMs: 10_000, jitter: 'none' } as const;

/** A worker that ends sooner than this did not last, in milliseconds. */
const lastingMs = 30_000;

interface Options {
  count: number;
  /** On top of this process's own environment. */
  env: Record<string, string>;
  log: Logger;
}

/** Processes of the same program that share the ports of this one. One that dies is started again. */
export class Workers {
  readonly #options: Options;
  readonly #workers = new Set<Worker>();
  readonly #stopping = new AbortController();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Resolves with the ports when all are ready; rejects if one ends before that, after the others were stopped. */
  async start(): Promise<Ports> {
    try {
      const ports = await Promise.all(Array.from({ length: this.#options.count }, () => this.#fork().ready));
      return ports[0]!;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Each drains and ends. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(
      [...this.#workers].map(async (worker) => {
        const ended = new Promise((resolve) => worker.once('exit', resolve));
        if (worker.isConnected()) worker.send('stop' satisfies WorkerCommand);
        await ended;
      }),
    );
  }

  /** `pauses` are those of this worker and of the ones that take its place. */
  #fork(pauses = new Backoff(pausesBeforeRestart)): { ready: Promise<Ports> } {
    const { env, log } = this.#options;
    const worker = cluster.fork(env);
    this.#workers.add(worker);
    let readyAt: number | undefined;
    const ready = new Promise<Ports>((resolve, reject) => {
      worker.on('message', (message: WorkerMessage) => {
        if (message?.kind !== 'ready') return;
        readyAt = performance.now();
        log.info({ worker: worker.process.pid }, 'a worker is ready');
        resolve(message);
      });
      worker.on('exit', (code, signal) => {
        this.#workers.delete(worker);
        // What was wrong it has said itself.
        reject(new Error(`a worker ended before it was ready (${signal ?? code})`));
        if (this.#stopping.signal.aborted || readyAt === undefined) return;
        const lasted = performance.now() - readyAt >= lastingMs;
        if (lasted) pauses.reset();
        const afterMs = lasted ? 0 : pauses.next();
        log.error({ worker: worker.process.pid, code, signal, afterMs }, 'a worker died: starting another');
        void this.#restart(afterMs, pauses);
      });
      worker.on('error', (err) => log.warn({ err }, 'a worker cannot be told anything'));
    });
    return { ready };
  }

  /** Resolves when a worker is ready, or when all are being stopped. Never throws. */
  async #restart(afterMs: number, pauses: Backoff): Promise<void> {
    const { signal } = this.#stopping;
    await sleep(afterMs, signal);
    while (!signal.aborted) {
      try {
        await this.#fork(pauses).ready;
        return;
      } catch (err) {
        if (signal.aborted) return;
        this.#options.log.error({ err }, 'a worker does not start: trying again');
        await pauses.wait(signal);
      }
    }
  }
}
