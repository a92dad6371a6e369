import { text } from 'node:stream/consumers';
import { ChatClient, ChatClientError, guest } from '../../pkg/chat-client/index.ts';
import type { SubcommandOptions } from './args.ts';
import { askSecret } from './ask-secret.ts';
import { explain } from './explain.ts';
import { openTransport } from './open-transport.ts';
import { plainLine } from './plain-text.ts';
import { SessionStore } from './session-store.ts';
import { stopSignal } from './stop-signal.ts';
import { storedToken } from './stored-token.ts';
import { NotSignedIn, type Subcommand, UsageError } from './subcommands/subcommand.ts';
import { exitCodes } from './usage.ts';

/** Carries out one sub-command. Returns the exit code; what went wrong is told in a line. */
export async function runSubcommand(
  subcommand: Subcommand,
  options: SubcommandOptions,
  { stdin, stdout, stderr }: NodeJS.Process,
): Promise<number> {
  const { address, user, json } = options;
  const signal = stopSignal(stdout);
  const sessions = new SessionStore(options.sessionFile, (line) => stderr.write(`warning: ${plainLine(line)}\n`));
  const closing: (() => Promise<void> | void)[] = [];
  try {
    const transport = await openTransport(options);
    closing.push(() => transport.close());
    await subcommand.run({
      options,
      transport,
      sessions,
      session: () => sessions.find(address),
      client: async () => {
        if (!user && !(await sessions.find(address))) throw new NotSignedIn(address);
        const client = new ChatClient({ transport, token: user ? guest(user) : storedToken(sessions, address) });
        closing.push(() => client.close());
        return client;
      },
      print: (line, object) => void stdout.write(`${json ? JSON.stringify(object) : line}\n`),
      readInput: () => text(stdin),
      askSecret: (question) => askSecret(question, stdin, stderr),
      stdinIsTerminal: stdin.isTTY ?? false,
      signal,
    });
    return 0;
  } catch (error) {
    // Whoever interrupts it wants it to end.
    if (signal.aborted) return 0;
    stderr.write(`error: ${explain(error)}\n`);
    return exitCodeOf(error);
  } finally {
    for (const close of closing.toReversed()) await close();
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage;
  if (error instanceof NotSignedIn) return exitCodes.notSignedIn;
  if (!(error instanceof ChatClientError)) return exitCodes.refused;
  const cause = error.cause;
  if (cause instanceof NotSignedIn) return exitCodes.notSignedIn;
  if (error.code === 'UNAVAILABLE' || error.code === 'DEADLINE_EXCEEDED') return exitCodes.unreachable;
  return exitCodes.refused;
}
