import { type DestinationStream, type Logger, multistream, pino } from 'pino';
import pretty from 'pino-pretty';
import { activeSpans, idsOf } from '../../client/tracing/active-spans.ts';
import type { LogConfig } from '../../config/groups/log-config.ts';
import { redactLine } from '../redaction/redact.ts';

/** Tells of settings that have been read again. */
interface Reloads {
  onReload(listener: (config: { log: LogConfig }) => void): () => void;
}

/**
 * Creates the logger: to standard output, as readable text in a terminal and as JSON elsewhere, and to LOG_FILE if that is set. Secrets are redacted.
 * With `live` the logger and its children follow LOG_LEVEL.
 */
export function createLogger({ level, format, file }: LogConfig, live?: Reloads): Logger {
  const readable = format === 'pretty' || (format === 'auto' && process.stdout.isTTY);
  const console: DestinationStream = readable
    ? pretty({ translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname', singleLine: true, sync: true })
    : pino.destination({ fd: 1, sync: true });
  const streams = [{ level: 'trace', stream: console }] as { level: 'trace'; stream: DestinationStream }[];
  if (file) {
    const stream = pino.destination({ dest: file, mkdir: true, append: true, sync: true, mode: 0o640 });
    streams.push({ level: 'trace', stream });
  }
  const log = pino(
    {
      level,
      // The lines of a traced call lead to its trace, and back.
      mixin: () => idsOf(activeSpans()[0]),
      hooks: { streamWrite: redactLine },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      onChild: (child) => live && followLevel(child, live),
    },
    streams.length === 1 ? console : multistream(streams),
  );
  if (live) followLevel(log, live);
  return log;
}

/** Does not keep the logger in memory. */
function followLevel(log: Logger, live: Reloads): void {
  const weak = new WeakRef(log);
  const stop = live.onReload((config) => {
    const logger = weak.deref();
    if (logger) logger.level = config.log.level;
    else stop();
  });
}
