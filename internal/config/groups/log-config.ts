import type { EnvReader } from '../reading/env-reader.ts';

/** What the service logs, and where to. */
export interface LogConfig {
  level: LogLevel;
  /** `auto`: `pretty` in a terminal, `json` elsewhere. */
  format: 'auto' | 'pretty' | 'json';
  /** A file that the lines are appended to as well. */
  file: string | undefined;
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export function readLog(read: EnvReader): LogConfig {
  return {
    level: read.oneOf('LOG_LEVEL', logLevels, 'info'),
    format: read.oneOf('LOG_FORMAT', ['auto', 'pretty', 'json'] as const, 'auto'),
    file: read.optional('LOG_FILE'),
  };
}
