import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../embedded/server/free-port.ts';
import { waitUntil } from '../embedded/system/wait-until.ts';
import { endWithProcess } from './end-with-process.ts';

interface Command {
  /** Its name, which is also that of its Debian package. */
  program: string;
  /** Files that it reads, by their names in its folder. */
  files?: (port: number) => Readonly<Record<string, string>>;
  /** Its arguments, for a port of its own and a folder in which it keeps what outlives it. */
  args(port: number, folder: string): string[];
}

/** A real server on loopback, with a port and a folder of its own that stay the same when it dies and is started again. */
export class ServerProcess {
  readonly port: number;
  /** What the server stores is below it. It is removed by `stop`. */
  readonly folder: string;
  readonly #command: Command;
  #child: ChildProcess | undefined;

  private constructor(command: Command, port: number, folder: string) {
    this.#command = command;
    this.port = port;
    this.folder = folder;
  }

  /** Starts it, and resolves when it accepts connections. Leaves nothing behind when it throws. */
  static async start(command: Command): Promise<ServerProcess> {
    const server = new ServerProcess(
      command,
      await freePort(),
      await mkdtemp(join(tmpdir(), `chat-${command.program}-`)),
    );
    try {
      const files = command.files?.(server.port) ?? {};
      for (const [name, text] of Object.entries(files)) await writeFile(join(server.folder, name), text);
      await server.restart();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Starts it again after `kill`; only waits for it if somebody else has. */
  async restart(): Promise<void> {
    const { program, args } = this.#command;
    if (this.isRunning) {
      await waitUntil(() => !this.isRunning || accepts(this.port), 60_000);
      return;
    }
    const child = spawn(program, args(this.port, this.folder), { stdio: ['ignore', 'pipe', 'pipe'] });
    endWithProcess(child, this.folder);
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    this.#child = child;
    try {
      await once(child, 'spawn');
    } catch (cause) {
      this.#child = undefined;
      const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
      const why = isMissing ? `it is not installed: apt-get install ${program}` : (cause as Error).message;
      throw new Error(`${program} does not start: ${why}`, { cause });
    }
    const ended = () => child.exitCode !== null || child.signalCode !== null;
    const answers = await waitUntil(async () => ended() || (await accepts(this.port)), 60_000);
    if (!answers || ended()) throw new Error(`${program} does not start: ${output.slice(-2_000)}`);
  }

  /** Sends SIGSTOP or SIGCONT. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(name);
  }

  /** kill -9; resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || !this.isRunning) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Ends it and removes what it kept. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
