import { type Config, readConfig } from '../config/config.ts';
import { type App, startApp } from './app.ts';
import { createLogger } from './logger.ts';
import { runProcess } from './run-process.ts';
import { toAddress } from './to-address.ts';

/** Runs the service until it is told to stop. Returns the exit code. */
export function runServer(env: NodeJS.ProcessEnv): Promise<number> {
  return runProcess(
    () => readConfig(env),
    async (config, signal) => {
      const log = createLogger(config.log);
      for (const warning of config.warnings) log.warn(warning);
      const app = await startApp(config, log, {}, signal);
      return { log, failed: app.failed, announcement: announce(config, app), stop: () => app.stop() };
    },
  );
}

function announce({ host, auth, postgresDsn, dataDir, tls }: Config, { grpcPort, httpPort }: App): string[] {
  const lines = [
    `  chat-service is ready${tls ? ' (TLS)' : ''}`,
    `    gRPC      ${toAddress(host, grpcPort)}  (reflection and health are on)`,
  ];
  if (httpPort !== undefined) {
    lines.push(
      `    HTTP      ${tls ? 'https' : 'http'}://${toAddress(host, httpPort)}  (web page, REST, WebSocket; documentation at /docs)`,
    );
  }
  lines.push(`    messages  ${postgresDsn ? 'PostgreSQL at POSTGRES_DSN' : `bundled PostgreSQL in ${dataDir}`}`);
  if (auth.guests && !auth.outside) {
    const how = tls ? " ARGS='--tls-ca FILE'" : '';
    lines.push('', '  Chat from two terminals:', `    make chat USER=alice${how}`, `    make chat USER=bob${how}`);
  }
  return lines;
}
