import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { RareWarning } from '../logging/rare-warning.ts';

interface Deps {
  exporter: SpanExporter;
  /** The most spans that wait to be sent or are being sent. */
  size: number;
  log: Logger;
}

/**
 * Bounds the spans that wait for a collector, and logs what is dropped or cannot be sent. The library drops without a word, and passes failures to an
 * error handler that is global to the process.
 */
export class BoundedQueue implements SpanProcessor {
  readonly #processor: SpanProcessor;
  readonly #size: number;
  readonly #dropped: RareWarning;
  #waiting = 0;

  /** `toProcessor` creates what makes batches for the given exporter. */
  constructor(toProcessor: (exporter: SpanExporter) => SpanProcessor, { exporter, size, log }: Deps) {
    const failed = new RareWarning(log, 'spans could not be sent and are lost');
    this.#dropped = new RareWarning(log, 'the collector is slow: spans are dropped');
    this.#size = size;
    this.#processor = toProcessor({
      export: (spans: ReadableSpan[], done: (result: ExportResult) => void) =>
        exporter.export(spans, ({ code, error }) => {
          this.#waiting -= spans.length;
          if (code !== ExportResultCode.SUCCESS) failed.add(error);
          done({ code: ExportResultCode.SUCCESS });
        }),
      shutdown: () => exporter.shutdown(),
    });
  }

  onStart(...args: Parameters<SpanProcessor['onStart']>): void {
    this.#processor.onStart(...args);
  }

  onEnd(span: ReadableSpan): void {
    if (this.#waiting >= this.#size) return this.#dropped.add(undefined);
    this.#waiting += 1;
    this.#processor.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.#processor.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#processor.shutdown();
  }
}
