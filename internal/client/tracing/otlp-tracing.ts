import { type Context, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { TracerShim } from '@opentelemetry/shim-opentracing';
import type { Logger } from 'pino';
import { RareWarning } from '../logging/rare-warning.ts';
import { type SamplingOptions, serviceName, type Tracing } from './tracing.ts';

export interface OtlpTracingOptions extends SamplingOptions {
  /** The collector, without the path: `http://localhost:4318`. */
  url: string;
}

/** How long one batch may take with all its repetitions, and so how long closing takes at most. */
const exportTimeoutMs = 3_000;

/**
 * Spans go to an OpenTelemetry collector by OTLP/HTTP, and traces are continued by the W3C headers `traceparent` and
 * `tracestate`. At most 8192 spans wait; more than that are dropped.
 */
export class OtlpTracing implements Tracing {
  readonly tracer: TracerShim;
  readonly #provider: TracerProvider;

  constructor({ url, sampleRatio }: OtlpTracingOptions, log: Logger) {
    const exporter = new OTLPTraceExporter({
      url: `${url.replace(/\/+$/, '')}/v1/traces`,
      timeoutMillis: exportTimeoutMs,
    });
    this.#provider = new TracerProvider({
      resource: defaultResource().merge(resourceFromAttributes({ 'service.name': serviceName })),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
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

  close(): Promise<void> {
    return this.#provider.shutdown();
  }
}

/** What the exporter could not send is logged here: else it would go to a handler that all users of the library share. */
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

/** The shim knows no kinds of spans. What begins here, or continues a caller's trace, is a call that the service answers. */
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
