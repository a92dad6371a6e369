import { type Logger, pino } from 'pino';
import { activeSpans, idsOf } from '../../client/tracing/active-spans.ts';

export type LogLine = Record<string, unknown> & { level: number; msg: string };

/** A logger that keeps its lines. */
export class LogLines {
  readonly logger: Logger;
  readonly lines: LogLine[] = [];

  constructor(level = 'info') {
    this.logger = pino(
      { level, mixin: () => idsOf(activeSpans()[0]) },
      { write: (line: string) => this.lines.push(JSON.parse(line)) },
    );
  }

  /** The lines with level `error` or `fatal`. */
  get errors(): LogLine[] {
    return this.lines.filter(({ level }) => level >= 50);
  }
}
