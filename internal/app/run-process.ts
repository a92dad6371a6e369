import type { Logger } from 'pino';
import { ConfigError } from '../config/env-reader.ts';
import { redactText } from './redact.ts';

/** A part of the service that runs until it is told to stop. */
export interface Running {
  log: Logger;
  /** Resolves when it cannot go on by itself, with the reason. */
  failed: Promise<Error>;
  /** What a person should know now that it is ready. */
  announcement: readonly string[];
  stop(): Promise<void>;
}

/**
 * Reads the configuration, starts, and waits for SIGINT or SIGTERM. Returns the exit code: 2 for a bad configuration, whose faults are
 * all printed. A second signal ends the wait for a clean end.
 */
export async function runProcess<Config>(
  read: () => Config,
  start: (config: Config, signal: AbortSignal) => Promise<Running>,
): Promise<number> {
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
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (stop.signal.aborted) process.exit(130);
        stop.abort();
        resolve(signal);
      });
    }
  });
  try {
    const running = await start(config, stop.signal);
    const { log } = running;
    // Not to standard output: there each line may have to be JSON.
    console.error(['', ...running.announcement, ''].join('\n'));
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
  }
}
