import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { eventually } from '../../../internal/testing/eventually.ts';
import { VirtualTerminal } from './virtual-terminal.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
// With CI set, Node takes every terminal for one without colours.
const { CI: _, ...inherited } = process.env;
const env = { ...inherited, NO_COLOR: '1', CHAT_ADDR: '', TERM: 'xterm', CHAT_SESSION: '/nonexistent/session.json' };
/** More than the buffers of a pipe hold, in bytes. */
const pipeBytes = 4 * 1_024 * 1_024;
const running = new Set<ChildProcess>();

/** The terminal client, as a child process. */
export interface ChatProcess {
  /** Everything it has printed. */
  readonly output: string;
  readonly errors: string;
  type(text: string): void;
  /** Writes more than a pipe holds; resolves once the process reads its input. */
  readsInput(): Promise<void>;
  /** Closes the input. */
  end(): void;
  /** Closes the output. */
  stopReading(): void;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the process has printed the text. */
  shows(text: string | RegExp): Promise<void>;
  /** The exit code. */
  readonly exited: Promise<number | null>;
}

/** Starts the terminal client with pipes. */
export function startChat(...args: string[]): ChatProcess {
  return watch(spawn(process.execPath, [main, ...args], { env }));
}

/** Runs a sub-command to its end; `input` is its standard input. */
export async function runChat(
  args: readonly string[],
  { input = '', env: special = {} }: { input?: string; env?: Record<string, string> } = {},
): Promise<{ code: number | null; output: string; errors: string }> {
  const chat = watch(spawn(process.execPath, [main, ...args], { env: { ...env, ...special } }));
  chat.type(input);
  chat.end();
  const code = await chat.exited;
  return { code, output: chat.output, errors: chat.errors };
}

interface TerminalOptions {
  columns?: number;
  rows?: number;
  afterwards?: string;
  env?: Record<string, string>;
}

/** Starts the terminal client in a terminal of this size; `afterwards` is a command that the shell runs after it. */
export function startChatInTerminal(
  { columns = 80, rows = 24, afterwards = ':', env: special }: TerminalOptions,
  ...args: string[]
): ChatProcess & { terminal: VirtualTerminal } {
  const command = [process.execPath, main, ...args].map((word) => `'${word}'`).join(' ');
  const script = `stty cols ${columns} rows ${rows}; ${command}; code=$?; ${afterwards}; exit $code`;
  const child = spawn('script', ['--quiet', '--flush', '--return', '--command', script, '/dev/null'], {
    env: { ...env, ...special },
  });
  const terminal = new VirtualTerminal({ columns, rows });
  return Object.assign(
    watch(child, (output) => terminal.write(output)),
    { terminal },
  );
}

/** Ends the processes that a failed test has left. */
export function stopChats(): void {
  for (const child of running) child.kill('SIGKILL');
}

function watch(child: ReturnType<typeof spawn>, onOutput: (output: string) => void = () => {}): ChatProcess {
  let output = '';
  let errors = '';
  const { stdin, stdout, stderr } = child;
  if (!stdin || !stdout || !stderr) throw new Error('the process was started without pipes');
  stdout.setEncoding('utf8').on('data', (data: string) => {
    output += data;
    onOutput(data);
  });
  stderr.setEncoding('utf8').on('data', (data: string) => {
    errors += data;
  });
  // A test may type while the process ends.
  stdin.on('error', () => {});
  running.add(child);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  return {
    get output() {
      return output;
    },
    get errors() {
      return errors;
    },
    type: (text) => void stdin.write(text),
    readsInput: () => new Promise((resolve) => void stdin.write('x'.repeat(pipeBytes), () => resolve())),
    end: () => void stdin.end(),
    stopReading: () => void stdout.destroy(),
    kill: (signal) => void child.kill(signal),
    shows: (text) => eventually(() => expect(output + errors).toMatch(text)),
    exited,
  };
}
