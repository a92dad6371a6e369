import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../cmd/server/main.ts', import.meta.url));

/** How long a node may take to become ready, in milliseconds. */
const startMs = 60_000;

interface NodeSettings {
  name: string;
  env: Record<string, string>;
  adminPort: number;
  logFile: string;
}

/** One node of the service, as a child process. It keeps its ports over restarts. */
export class NodeProcess {
  readonly name: string;
  readonly metricsUrl: string;
  readonly #env: Record<string, string>;
  readonly #logFile: string;
  #child: ChildProcess | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ name, env, adminPort, logFile }: NodeSettings) {
    this.name = name;
    this.metricsUrl = `http://127.0.0.1:${adminPort}/metrics`;
    this.#env = env;
    this.#logFile = logFile;
  }

  /** Ends the node and starts it again after a while. Several calls run one after the other. */
  restart(how: 'SIGKILL' | 'SIGTERM', pause: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const restarted = this.#turn.then(async () => {
      await this.end(how);
      await pause();
      await this.start(signal);
    });
    this.#turn = restarted.catch(() => {});
    return restarted;
  }

  /**
   * Starts the node. Resolves when it is ready or the signal aborts. If the node ends because a server that it needs is away, starts it again.
   * Throws if that takes too long.
   */
  async start(signal: AbortSignal): Promise<void> {
    const giveUpAt = performance.now() + startMs;
    while (!signal.aborted && !this.isRunning) {
      if (await this.#startOnce(signal)) return;
      if (performance.now() > giveUpAt) throw new Error(`${this.name} does not start: see ${this.#logFile}`);
      await sleep(500);
    }
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(name);
  }

  /** Ends the node: at once, or gracefully as a deploy does. Resolves when the process has ended. */
  async end(how: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (!this.isRunning) return;
    const exited = once(this.#child!, 'exit');
    this.#child!.kill(how);
    const last = setTimeout(() => this.#child!.kill('SIGKILL'), 20_000);
    await exited;
    clearTimeout(last);
  }

  async #startOnce(signal: AbortSignal): Promise<boolean> {
    const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env;
    const child = spawn(process.execPath, [main], {
      env: { PATH, HOME, NODE_COMPILE_CACHE, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own: Ctrl-C must not reach the node, which chaos ends itself.
      detached: true,
    });
    this.#child = child;
    const log = (text: Buffer) => appendFileSync(this.#logFile, text);
    child.stdout.on('data', log);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    let words = '';
    child.stderr.on('data', (text: Buffer) => {
      log(text);
      words = (words + text.toString()).slice(-2_000);
      if (words.includes('is ready')) resolve(true);
    });
    const giveUp = () => resolve(false);
    child.once('exit', giveUp);
    signal.addEventListener('abort', giveUp);
    return promise.finally(() => signal.removeEventListener('abort', giveUp));
  }
}
