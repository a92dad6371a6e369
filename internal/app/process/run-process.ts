import cluster from 'node:cluster';
import { parseArgs } from 'node:util';
import type { Logger } from 'pino';
import { ConfigError } from '../../config/reading/env-reader.ts';
import { redactText } from './redact.ts';
import { runCommand } from './run-command.ts';
import type { WorkerCommand } from './workers.ts';

/** A part of the service that runs until it is told to stop. */
export interface Running {
  log: Logger;
  /** Resolves when it cannot go on by itself, with the reason. */
  failed: Promise<Error>;
  /** What a person should know now that it is ready. */
  announcement: readonly string[];
  stop(): Promise<void>;
}

/** How a program was called. */
export interface Program {
  name: string;
  /** What it does, as in "runs the service": for --help. */
  does: string;
  /** The command line after its name. */
  args: readonly string[];
}

/**
 * Reads the configuration, starts, and waits for SIGINT or SIGTERM. Returns the exit code: 2 for a fault in the command line, which may hold
 * nothing but --help, or for a bad configuration, whose faults are all printed. A second signal ends the wait for a clean end.
 */
export async function runProcess<Config>(
  program: Program,
  read: () => Config,
  start: (config: Config, signal: AbortSignal) => Promise<Running>,
): Promise<number> {
  const answer = await answerArgs(program);
  if (answer !== undefined) return answer;
  let config: Config;
  try {
    config = read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const fault of error.faults) console.error(`error: ${redactText(fault)}`);
    return 2;
  }
  const stop = new AbortController();
  const signalled = new Promise<string>((resolve) => {
    const end = (reason: string) => {
      stop.abort();
      resolve(reason);
    };
    if (cluster.isWorker) {
      // A terminal's Ctrl-C reaches workers too; what it means they are told by the process that started them, or by its end.
      process.on('SIGINT', () => {});
      process.on('message', (message) => message === ('stop' satisfies WorkerCommand) && end('told to stop'));
      process.on('disconnect', () => end('left alone'));
      process.on('SIGTERM', () => end('SIGTERM'));
      return;
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (stop.signal.aborted) process.exit(130);
        end(signal);
      });
    }
  });
  try {
    const running = await start(config, stop.signal);
    const { log } = running;
    // Not to standard output: there each line may have to be JSON.
    if (running.announcement.length > 0) console.error(['', ...running.announcement, ''].join('\n'));
    const ended = await Promise.race([signalled, running.failed]);
    if (ended instanceof Error) log.fatal({ err: ended }, 'stopping');
    else log.info({ signal: ended }, 'stopping');
    await running.stop();
    if (ended instanceof Error) throw ended;
    log.info('stopped');
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    console.error(`error: ${redactText((error as Error).message)}`);
    return 1;
  } finally {
    // The channel to the process that started this one would keep it alive.
    cluster.worker?.disconnect();
  }
}

/** Answers what was asked on the command line with the exit code; undefined if there was nothing. */
async function answerArgs({ name, does, args }: Program): Promise<number | undefined> {
  const usage = `usage: ${name}

${does[0]!.toUpperCase()}${does.slice(1)}, until it is told to stop by SIGTERM or Ctrl-C. There are no options: settings are environment variables,
which are described in local.env.example.
`;
  let help: boolean | undefined;
  const code = await runCommand(usage, async () => {
    ({ help } = parseArgs({ args: [...args], options: { help: { type: 'boolean', short: 'h' } } }).values);
    if (help) console.log(usage);
  });
  return help || code !== 0 ? code : undefined;
}
