import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { ChatClient, ChatClientError, guest } from '../../pkg/chat-client/index.ts';
import { exitCodes } from './exit-codes.ts';
import { openTransport } from './service/open-transport.ts';
import { SessionStore } from './sign-in/session-store.ts';
import { notSignedIn, storedToken } from './sign-in/stored-token.ts';
import { type Subcommand, type SubcommandOptions, UsageError } from './subcommands/subcommand.ts';
import { askSecret } from './terminal/ask-secret.ts';
import { stopSignal } from './terminal/stop-signal.ts';
import { explain } from './text/explain.ts';
import { plainLine } from './text/plain-text.ts';

/** Carries out one sub-command. Returns the exit code; what went wrong is told in a line. */
export async function runSubcommand(
  subcommand: Subcommand,
  options: SubcommandOptions,
  { stdin, stdout, stderr }: NodeJS.Process,
): Promise<number> {
  const { user, json, sessionKey } = options;
  const signal = stopSignal(stdout);
  const interrupted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Interrupted()), { once: true });
  });
  interrupted.catch(() => {});
  const sessions = new SessionStore(options.sessionFile, (line) => stderr.write(`warning: ${plainLine(line)}\n`));
  const closing: (() => Promise<void> | void)[] = [];
  try {
    const transport = await openTransport(options);
    closing.push(() => transport.close());
    const running = subcommand.run({
      options,
      transport,
      sessions,
      session: () => sessions.find(sessionKey),
      client: async () => {
        if (!user && !(await sessions.find(sessionKey))) {
          throw notSignedIn('not signed in: chat login, or --user NAME for a guest');
        }
        const client = new ChatClient({ transport, token: user ? guest(user) : storedToken(sessions, sessionKey) });
        closing.push(() => client.close());
        return client;
      },
      print: async (line, object) => {
        if (!stdout.write(`${json ? JSON.stringify(object) : line}\n`)) await once(stdout, 'drain', { signal });
      },
      readInput: () => text(stdin),
      askSecret: (question) => askSecret(question, stdin, stderr),
      stdinIsTerminal: stdin.isTTY ?? false,
      signal,
    });
    await Promise.race([running, interrupted]);
    return 0;
  } catch (error) {
    if (signal.aborted) return subcommand.untilInterrupted ? 0 : exitCodes.interrupted;
    stderr.write(`error: ${explain(error)}\n`);
    return exitCodeOf(error);
  } finally {
    for (const close of closing.toReversed()) await close();
    // Nobody waits for what may still be typed.
    stdin.destroy();
  }
}

class Interrupted extends Error {}

function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage;
  if (!(error instanceof ChatClientError)) return exitCodes.refused;
  if (error.code === 'UNAUTHENTICATED' && error.reason !== 'WRONG_CREDENTIALS') return exitCodes.notSignedIn;
  if (error.code === 'UNAVAILABLE' || error.code === 'DEADLINE_EXCEEDED') return exitCodes.unreachable;
  return exitCodes.refused;
}
