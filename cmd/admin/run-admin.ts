import { AdminClient, AdminClientError } from './client/admin-client.ts';
import { readArgs } from './command-line/args.ts';
import { exitCodes } from './exit-codes.ts';

/** Runs the sub-command of the command line. Returns the exit code; what went wrong is told in a line. */
export async function runAdmin(
  argv: readonly string[],
  { env, stdout, stderr }: Pick<NodeJS.Process, 'env' | 'stdout' | 'stderr'>,
): Promise<number> {
  const args = readArgs(argv, env);
  if (args.kind === 'help') {
    stdout.write(`${args.text}\n`);
    return 0;
  }
  if (args.kind === 'error') {
    stderr.write(`error: ${args.message}\n\n${args.usage}\n`);
    return exitCodes.usage;
  }
  const { subcommand, client, json, values } = args;
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
  const clearLine = stderr.isTTY ? '\r\x1b[K' : '';
  try {
    await subcommand.run({
      client: new AdminClient(client),
      values,
      print: (text, object) => void stdout.write(`${json ? JSON.stringify(object) : text}\n`),
      progress: (text) => void (stderr.isTTY && stderr.write(`${clearLine}${text}`)),
      signal: interruption.signal,
    });
    stderr.write(clearLine);
    return 0;
  } catch (error) {
    if (interruption.signal.aborted) return exitCodes.interrupted;
    stderr.write(`${clearLine}error: ${(error as Error).message}\n`);
    return exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  if (!(error instanceof AdminClientError)) return exitCodes.refused;
  switch (error.kind) {
    case 'refused':
      return exitCodes.refused;
    case 'unreachable':
      return exitCodes.unreachable;
    case 'not authorized':
      return exitCodes.notAuthorized;
    default:
      return error.kind satisfies never;
  }
}
