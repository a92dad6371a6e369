import { type Context, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { TracerShim } from '@opentelemetry/shim-opentracing';
import type { Logger } from 'pino';
import { RareWarning } from '../logging/rare-warning.ts';
import { type SamplingOptions, serviceName, type Tracing } from './tracing.ts';

export interface OtlpTracingOptions extends SamplingOptions {
  /** The collector's URL without the path: `http://localhost:4318`. */
  url: string;
}

/** The longest time to send one batch, including retries, and so the longest time to close, in milliseconds. */
const exportTimeoutMs = 3_000;

/**
 * Sends spans to an OpenTelemetry collector over OTLP/HTTP, and continues the traces of callers by the W3C headers `traceparent` and `tracestate`. Queues
 * at most 8192 spans and drops further ones.
 */
export class OtlpTracing implements Tracing {
  readonly tracer: TracerShim;
  readonly #provider: TracerProvider;
  #ratio: TraceIdRatioBasedSampler;

  constructor({ url, sampleRatio }: OtlpTracingOptions, log: Logger) {
    const exporter = new OTLPTraceExporter({
      url: `${url.replace(/\/+$/, '')}/v1/traces`,
      timeoutMillis: exportTimeoutMs,
    });
    this.#ratio = new TraceIdRatioBasedSampler(sampleRatio);
    const root: Sampler = {
      shouldSample: (context, traceId) => this.#ratio.shouldSample(context, traceId),
      toString: () => this.#ratio.toString(),
    };
    this.#provider = new TracerProvider({
      resource: defaultResource().merge(resourceFromAttributes({ 'service.name': serviceName })),
      sampler: new ParentBasedSampler({ root }),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: new ForgivingExporter(exporter, new RareWarning(log, 'spans could not be sent and are lost')),
          scheduledDelayMillis: 1_000,
          maxQueueSize: 8_192,
        }),
      ],
    });
    const propagator = new W3CTraceContextPropagator();
    this.tracer = new TracerShim(withKinds(this.#provider.getTracer(serviceName)), {
      textMapPropagator: propagator,
      httpHeadersPropagator: propagator,
    });
  }

  setSampleRatio(ratio: number): void {
    this.#ratio = new TraceIdRatioBasedSampler(ratio);
  }

  close(): Promise<void> {
    return this.#provider.shutdown();
  }
}

/** Logs failed exports and reports success, because the library passes failures to an error handler that is global to the process. */
class ForgivingExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #warning: RareWarning;

  constructor(exporter: SpanExporter, warning: RareWarning) {
    this.#exporter = exporter;
    this.#warning = warning;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans, ({ code, error }) => {
      if (code !== ExportResultCode.SUCCESS) this.#warning.add(error);
      done({ code: ExportResultCode.SUCCESS });
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }
}

/** Sets the kind of spans, which the shim does not know: SERVER for a span without a parent in this process, else INTERNAL. */
function withKinds(tracer: Tracer): Tracer {
  const kindIn = (context: Context | undefined) => {
    const parent = context && trace.getSpanContext(context);
    return !parent || parent.isRemote ? SpanKind.SERVER : SpanKind.INTERNAL;
  };
  return {
    startSpan: (name, options, context) => tracer.startSpan(name, { ...options, kind: kindIn(context) }, context),
    startActiveSpan: tracer.startActiveSpan.bind(tracer),
  };
}
