import { type AdminConfig, findAdminInsecurities, readAdmin } from './groups/admin-config.ts';
import { type HttpConfig, readHttp } from './groups/http-config.ts';
import { type LimitsConfig, readFrameLimits } from './groups/limits-config.ts';
import { findListenInsecurities, type ListenConfig, readHost } from './groups/listen-config.ts';
import { type LogConfig, readLog } from './groups/log-config.ts';
import { readGatewayTimes, type TimesConfig } from './groups/times-config.ts';
import { readTls, type TlsConfig } from './groups/tls-config.ts';
import { findTracingInsecurities, readTracing, type TracingConfig } from './groups/tracing-config.ts';
import { findUpstreamInsecurities, readUpstream, type UpstreamConfig } from './groups/upstream-config.ts';
import { EnvReader } from './reading/env-reader.ts';
import { judgeInsecurities } from './reading/insecure.ts';

/** All settings of a gateway that runs alone. */
export interface GatewayConfig {
  listen: Pick<ListenConfig, 'host'>;
  http: HttpConfig;
  /** Absent: plain text. */
  tls: TlsConfig | undefined;
  admin: AdminConfig;
  log: LogConfig;
  tracing: TracingConfig;
  upstream: UpstreamConfig;
  limits: Pick<LimitsConfig, 'maxFrameBytes' | 'maxCommandsPerFrame'>;
  times: Pick<TimesConfig, 'keepaliveMs' | 'drainTimeoutMs'>;
  /** Settings that are unsafe and that others can reach, as lines for the log. */
  warnings: string[];
}

/** Reads the settings from environment variables. Throws ConfigError, which lists every fault. */
export function readGatewayConfig(env: Readonly<Record<string, string | undefined>>): GatewayConfig {
  const read = new EnvReader(env);
  const tls = readTls(read);
  const config: GatewayConfig = {
    listen: { host: readHost(read) },
    http: readHttp(read, tls !== undefined),
    tls,
    admin: readAdmin(read),
    log: readLog(read),
    tracing: readTracing(read),
    upstream: readUpstream(read),
    limits: readFrameLimits(read),
    times: readGatewayTimes(read),
    warnings: [],
  };
  config.warnings = judgeInsecurities(read, [
    ...findListenInsecurities(config.listen, tls),
    ...findAdminInsecurities(config.admin),
    ...findUpstreamInsecurities(config.upstream),
    ...findTracingInsecurities(config.tracing),
  ]);
  read.throwIfFaulty();
  return config;
}
