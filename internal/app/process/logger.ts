import { type DestinationStream, type Logger, multistream, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from '../../config/config.ts';
import { redactLine } from './redact.ts';

/** Creates the logger: to standard output, as readable text in a terminal and as JSON elsewhere, and to LOG_FILE if that is set. Secrets are redacted. */
export function createLogger({ level, format, file }: Config['log']): Logger {
  const readable = format === 'pretty' || (format === 'auto' && process.stdout.isTTY);
  const console: DestinationStream = readable
    ? pretty({ translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname', singleLine: true, sync: true })
    : pino.destination({ fd: 1, sync: true });
  const streams = [{ level: 'trace', stream: console }] as { level: 'trace'; stream: DestinationStream }[];
  if (file) {
    const stream = pino.destination({ dest: file, mkdir: true, append: true, sync: true, mode: 0o640 });
    streams.push({ level: 'trace', stream });
  }
  return pino(
    {
      level,
      hooks: { streamWrite: redactLine },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    streams.length === 1 ? console : multistream(streams),
  );
}
