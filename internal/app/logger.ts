import { type DestinationStream, type Logger, multistream, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from '../config/config.ts';

/** Where a token or a password could come along in what is logged. */
const redacted = ['authorization', 'token', 'accessToken', 'refreshToken', 'password', 'dsn'].flatMap((key) => [
  key,
  `*.${key}`,
  `*.*.${key}`,
]);

/** Logs to standard output, readable in a terminal and JSON elsewhere, and to the file if there is one. */
export function createLogger({ level, format, file }: Config['log']): Logger {
  const readable = format === 'pretty' || (format === 'auto' && process.stdout.isTTY);
  const console: DestinationStream = readable
    ? pretty({ translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname', singleLine: true, sync: true })
    : pino.destination({ fd: 1, sync: true });
  const streams = [{ level: 'trace', stream: console }] as { level: 'trace'; stream: DestinationStream }[];
  if (file)
    streams.push({ level: 'trace', stream: pino.destination({ dest: file, mkdir: true, append: true, sync: true }) });
  return pino(
    {
      level,
      redact: { paths: redacted, censor: '[redacted]' },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    streams.length === 1 ? console : multistream(streams),
  );
}
