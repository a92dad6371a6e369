import { type Config, readConfig } from '../config/config.ts';
import { ConfigError } from '../config/env-reader.ts';
import { startApp } from './app.ts';
import { createLogger } from './logger.ts';

/** Runs the service until it is told to stop. Returns the exit code. A second signal ends the wait for a clean end. */
export async function runServer(env: NodeJS.ProcessEnv): Promise<number> {
  let config: Config;
  try {
    config = readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const fault of error.faults) console.error(`error: ${fault}`);
    return 2;
  }
  const log = createLogger(config.log);
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
    const app = await startApp(config, log, {}, stop.signal);
    announce(config, app.grpcPort);
    const ended = await Promise.race([signalled, app.failed]);
    if (ended instanceof Error) log.fatal({ err: ended }, 'stopping');
    else log.info({ signal: ended, streams: app.sessions.size }, 'stopping');
    await app.stop();
    if (ended instanceof Error) throw ended;
    log.info('stopped');
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    console.error(`error: ${(error as Error).message}`);
    log.debug({ err: error }, 'could not go on');
    return 1;
  }
}

function announce({ host, auth, postgresDsn, dataDir }: Config, port: number): void {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const lines = [
    '',
    `  chat-service is ready`,
    `    gRPC      ${address}  (reflection and health are on)`,
    `    messages  ${postgresDsn ? 'PostgreSQL at POSTGRES_DSN' : `bundled PostgreSQL in ${dataDir}`}`,
    '',
  ];
  if (auth.guests) {
    lines.push('  Chat from two terminals:', '    make chat USER=alice', '    make chat USER=bob', '');
  }
  // Not to standard output: there each line may have to be JSON.
  console.error(lines.join('\n'));
}
