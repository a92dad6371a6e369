import cluster, { type Worker } from 'node:cluster';
import type { Logger } from 'pino';

/** What a worker tells the process that started it. */
export type WorkerMessage = { kind: 'ready'; grpcPort: number; httpPort: number | undefined };

/** What it is told. */
export type WorkerCommand = 'stop';

export type Ports = Omit<WorkerMessage, 'kind'>;

/** A worker that ends is started again after so long, doubled each time that it does not last, in milliseconds. */
const restartMs = { first: 100, most: 10_000, lasting: 30_000 };

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
  readonly #restarts = new Set<NodeJS.Timeout>();
  #stopping = false;

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
    this.#stopping = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    await Promise.all(
      [...this.#workers].map(async (worker) => {
        const ended = new Promise((resolve) => worker.once('exit', resolve));
        if (worker.isConnected()) worker.send('stop' satisfies WorkerCommand);
        await ended;
      }),
    );
  }

  /** `pauseMs`: how long was waited before it, because the one before did not last. */
  #fork(pauseMs = 0): { ready: Promise<Ports> } {
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
        if (this.#stopping || readyAt === undefined) return;
        const afterMs = performance.now() - readyAt < restartMs.lasting ? longer(pauseMs) : 0;
        log.error({ worker: worker.process.pid, code, signal, afterMs }, 'a worker died: starting another');
        this.#restart(afterMs);
      });
      worker.on('error', (err) => log.warn({ err }, 'a worker cannot be told anything'));
    });
    return { ready };
  }

  #restart(afterMs: number): void {
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#fork(afterMs).ready.catch((err) => {
        if (this.#stopping) return;
        this.#options.log.error({ err }, 'a worker does not start: trying again');
        this.#restart(longer(afterMs));
      });
    }, afterMs);
    this.#restarts.add(timer);
  }
}

function longer(pauseMs: number): number {
  return Math.min(Math.max(2 * pauseMs, restartMs.first), restartMs.most);
}
