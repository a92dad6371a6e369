import cluster from 'node:cluster';
import { parseArgs } from 'node:util';
import type { Logger } from 'pino';
import type { LogConfig } from '../../config/groups/log-config.ts';
import { Settings } from '../../config/live/settings.ts';
import { ConfigError } from '../../config/reading/env-reader.ts';
import type { Env } from '../../config/reading/environment.ts';
import { redactText } from '../redaction/redact.ts';
import { createLogger } from './logger.ts';
import { reloadSettings } from './reload.ts';
import { runCommand } from './run-command.ts';
import { watchTerminal } from './terminal.ts';
import type { WorkerCommand } from './workers.ts';

/** A program that runs until it is stopped. */
export interface Running {
  /** Resolves with the reason when the program cannot continue. */
  failed: Promise<Error>;
  /** Lines for the person who started the program: where it listens, and how to begin. */
  announcement: readonly string[];
  stop(): Promise<void>;
}

/** A program and its command line. */
export interface Program {
  name: string;
  /** Completes "the program …" in --help, as in "runs the service". */
  does: string;
  /** The command line after its name. */
  args: readonly string[];
}

/** What the programs have in common of their configurations. */
interface ProgramConfig {
  log: LogConfig;
  warnings: string[];
}

/**
 * Reads the configuration, starts the program, and stops it at SIGINT or SIGTERM; a second signal ends the process at once. At SIGHUP reads the settings
 * again, or stops the program if its terminal has been closed. Workers leave the signals to the process that has started them. Returns the exit code:
 * 0 after a stop; 1 if the program failed; 2 for a faulty configuration, whose faults are all printed, or a faulty command line, which takes only
 * --help.
 */
export async function runProcess<Config extends ProgramConfig>(
  program: Program,
  environment: Env,
  read: (env: Env) => Config,
  start: (settings: Settings<Config>, log: Logger, signal: AbortSignal) => Promise<Running>,
): Promise<number> {
  const answer = await answerArgs(program);
  if (answer !== undefined) return answer;
  let settings: Settings<Config>;
  try {
    settings = new Settings(environment, read);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const fault of error.faults) console.error(`error: ${redactText(fault)}`);
    return 2;
  }
  // Libraries read some variables themselves.
  for (const [name, value] of Object.entries(settings.env)) if (value !== undefined) process.env[name] ??= value;
  const { live } = settings;
  const log = createLogger(live.current.log, live);
  const stop = new AbortController();
  const signalled = new Promise<string>((resolve) => {
    const end = (reason: string) => {
      stop.abort();
      resolve(reason);
    };
    if (cluster.isWorker) {
      // Ctrl-C in a terminal reaches the workers as well. They ignore it: the process that started them sends 'stop', or disconnects when it dies.
      for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
      process.on('message', (message: WorkerCommand | undefined) => {
        if (message?.kind === 'stop') end('told to stop');
        if (message?.kind === 'settings') settings.take(message.values);
      });
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
    const isTerminalClosed = watchTerminal();
    process.on('SIGHUP', () => (isTerminalClosed() ? end('SIGHUP') : reloadSettings(settings, log)));
  });
  try {
    if (!cluster.isWorker) for (const warning of live.current.warnings) log.warn(warning);
    const running = await start(settings, log, stop.signal);
    // To standard error, because each line of standard output may have to be JSON.
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
    // The channel to the process that started this worker would keep it alive.
    cluster.worker?.disconnect();
  }
}

/** Handles the command line. Returns the exit code if the program should not start. */
async function answerArgs({ name, does, args }: Program): Promise<number | undefined> {
  const usage = `usage: ${name}

${does[0]!.toUpperCase()}${does.slice(1)}, until SIGTERM or Ctrl-C stops it. There are no options: settings are environment variables, which
local.env.example describes.
`;
  let help: boolean | undefined;
  const code = await runCommand(usage, async () => {
    ({ help } = parseArgs({ args: [...args], options: { help: { type: 'boolean', short: 'h' } } }).values);
    if (help) console.log(usage);
  });
  return help || code !== 0 ? code : undefined;
}
