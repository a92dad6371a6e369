import { readFile } from 'node:fs/promises';
import { grpcTransport, type TlsOptions } from '../../pkg/chat-client/grpc.ts';
import { ChatClient, guest } from '../../pkg/chat-client/index.ts';
import { ChatApp } from './app.ts';
import { type ChatOptions, readArgs, usage } from './args.ts';
import { completeCommand } from './commands.ts';
import { explain } from './explain.ts';
import { PipeScreen } from './pipe-screen.ts';
import type { Screen } from './screen.ts';
import { styleFor } from './style.ts';
import { TerminalScreen } from './terminal-screen.ts';

/**
 * Runs the terminal client until it is told to stop. Returns the exit code: 0, 1 if it could not go on or something from a pipe
 * was not sent, 2 for a fault in the command line.
 */
export async function runChat(argv: readonly string[], { stdin, stdout, env }: NodeJS.Process): Promise<number> {
  const args = readArgs(argv, env);
  if (args.kind === 'help') {
    console.log(usage);
    return 0;
  }
  if (args.kind === 'error') {
    console.error(`error: ${args.message}\n\n${usage}`);
    return 2;
  }
  const { address, room, tls } = args.options;
  const interactive = Boolean(stdin.isTTY && stdout.isTTY && env.TERM !== 'dumb');
  if (!args.options.user && !interactive) {
    console.error(`error: who are you? Give --user NAME\n\n${usage}`);
    return 2;
  }
  const signal = stopSignal(stdout);
  const screen: Screen = interactive
    ? new TerminalScreen({ input: stdin, output: stdout, complete: completeCommand })
    : new PipeScreen(stdin, stdout);
  try {
    const user = args.options.user ?? (await askName(screen, signal));
    if (user === undefined) return 0;
    const transport = grpcTransport(address, { tls: await readTls(tls) });
    const client = new ChatClient({ transport, token: guest(user) });
    const notSent = await new ChatApp({ client, screen, style: styleFor(stdout, env), address, room }).run(signal);
    return notSent > 0 && !interactive ? 1 : 0;
  } catch (error) {
    screen.close();
    console.error(`error: ${explain(error)}`);
    return 1;
  } finally {
    screen.close();
  }
}

/** Throws an error that names the file that cannot be read. */
async function readTls(tls: ChatOptions['tls']): Promise<false | TlsOptions> {
  if (!tls) return false;
  const read: TlsOptions = {};
  for (const [name, file] of Object.entries(tls) as [keyof TlsOptions, string | undefined][]) {
    if (file === undefined) continue;
    read[name] = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
      throw new Error(`cannot read ${file} (${cause.code})`, { cause });
    });
  }
  return read;
}

/** Aborts when the program is told to end, or nobody reads its output any more. */
function stopSignal(output: NodeJS.WriteStream): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(130);
      stop.abort();
    });
  }
  output.on('error', () => stop.abort());
  return stop.signal;
}

async function askName(screen: Screen, signal: AbortSignal): Promise<string | undefined> {
  const stopped = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  for (;;) {
    const answer = await Promise.race([screen.ask('Your name: '), stopped]);
    if (answer === undefined || answer.trim() !== '') return answer?.trim();
  }
}
