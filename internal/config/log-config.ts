import type { EnvReader } from './env-reader.ts';

export interface LogConfig {
  level: LogLevel;
  format: 'auto' | 'pretty' | 'json';
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
