import { type Config, readConfig } from '../config/config.ts';
import { ConfigError } from '../config/env-reader.ts';
import { createLogger } from './logger.ts';
import { runProcess } from './run-process.ts';
import { startMessageWriter } from './start-message-writer.ts';
import { toAddress } from './to-address.ts';

/** Where it differs from the chat service, so that both can run on one machine as they are. */
const defaults = { GRPC_PORT: '50053', INGEST: 'jetstream' };

/** Runs a writer of accepted messages by itself until it is told to stop. Returns the exit code. */
export function runMessageWriter(env: NodeJS.ProcessEnv): Promise<number> {
  return runProcess(
    () => readWriterConfig(env),
    async (config, signal) => {
      const log = createLogger(config.log);
      for (const warning of config.warnings) log.warn(warning);
      const { grpcPort, stop } = await startMessageWriter(config, log, signal);
      const stream = config.ingest.kind === 'jetstream' ? config.ingest.stream : '';
      const announcement = [
        `  message-writer is ready${config.tls ? ' (TLS)' : ''}`,
        `    gRPC      ${toAddress(config.host, grpcPort)}  (health only)`,
        `    messages  from the stream ${stream} to PostgreSQL at POSTGRES_DSN`,
      ];
      return { log, failed: new Promise<Error>(() => {}), announcement, stop };
    },
  );
}

function readWriterConfig(env: NodeJS.ProcessEnv): Config {
  const config = readConfig({ ...defaults, ...env });
  const faults: string[] = [];
  if (config.ingest.kind === 'direct') faults.push('INGEST must be jetstream for the message-writer');
  if (!config.postgresDsn) faults.push('POSTGRES_DSN must be set for the message-writer: its services are elsewhere');
  if (faults.length > 0) throw new ConfigError(faults);
  if (config.bus.kind === 'memory') {
    config.warnings.push('BUS_URL is memory: services elsewhere notice what is written only when they look for it');
  }
  return config;
}
