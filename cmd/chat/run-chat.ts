import { ChatClient, ChatClientError, guest, type TokenSource } from '../../pkg/chat-client/index.ts';
import { type ChatOptions, readArgs } from './command-line/args.ts';
import { usage } from './command-line/usage.ts';
import { ChatApp } from './conversation/chat-app.ts';
import { Completer } from './conversation/completer.ts';
import { exitCodes } from './exit-codes.ts';
import { runSubcommand } from './run-subcommand.ts';
import { openTransport } from './service/open-transport.ts';
import { SessionStore } from './sign-in/session-store.ts';
import { storedToken } from './sign-in/stored-token.ts';
import { PipeScreen } from './terminal/pipe-screen.ts';
import type { Screen } from './terminal/screen.ts';
import { stopSignal } from './terminal/stop-signal.ts';
import { TerminalScreen } from './terminal/terminal-screen.ts';
import { explain } from './text/explain.ts';
import { plainLine } from './text/plain-text.ts';
import { styleFor } from './text/style.ts';

/**
 * Runs the terminal client: a sub-command, or the conversation until it is told to stop. Returns the exit code: 0, 1 if it could not go
 * on or something from a pipe was not sent, 2 for a fault in the command line; sub-commands have more.
 */
export async function runChat(argv: readonly string[], host: NodeJS.Process): Promise<number> {
  const args = readArgs(argv, host.env);
  switch (args.kind) {
    case 'help':
      console.log(args.text);
      return 0;
    case 'error':
      console.error(`error: ${args.message}\n\n${args.usage}`);
      return exitCodes.usage;
    case 'subcommand':
      return runSubcommand(args.subcommand, args.options, host);
    case 'run':
      return converse(args.options, host);
    default:
      return args satisfies never;
  }
}

async function converse(options: ChatOptions, { stdin, stdout, env }: NodeJS.Process): Promise<number> {
  const { address, room, sessionFile, sessionKey } = options;
  const interactive = Boolean(stdin.isTTY && stdout.isTTY && env.TERM !== 'dumb');
  const sessions = new SessionStore(sessionFile, (line) => console.error(`warning: ${plainLine(line)}`));
  const signedIn = options.user === undefined && (await sessions.find(sessionKey)) !== undefined;
  if (!options.user && !signedIn && !interactive) {
    console.error(`error: who are you? Give --user NAME, or sign in with: chat login\n\n${usage}`);
    return exitCodes.usage;
  }
  const signal = stopSignal(stdout);
  let completer: Completer | undefined;
  const complete = async (line: string) => completer?.complete(line) ?? { part: line, hits: [] };
  const screen: Screen = interactive
    ? new TerminalScreen({ input: stdin, output: stdout, complete })
    : new PipeScreen(stdin, stdout);
  try {
    const token = signedIn ? storedToken(sessions, sessionKey) : await guestToken(options.user, screen, signal);
    if (!token) return 0;
    const client = new ChatClient({ transport: await openTransport(options), token });
    const app = new ChatApp({ client, screen, style: styleFor(stdout, env), address, room });
    completer = new Completer(client, app.chats);
    const notSent = await app.run(signal);
    return notSent > 0 && !interactive ? 1 : 0;
  } catch (error) {
    screen.close();
    console.error(`error: ${explain(error)}`);
    const signedOut = error instanceof ChatClientError && error.reason.startsWith('REFRESH_TOKEN_');
    return signedOut ? exitCodes.notSignedIn : exitCodes.refused;
  } finally {
    screen.close();
  }
}

async function guestToken(
  given: string | undefined,
  screen: Screen,
  signal: AbortSignal,
): Promise<TokenSource | undefined> {
  const name = given ?? (await askName(screen, signal));
  return name === undefined ? undefined : guest(name);
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
