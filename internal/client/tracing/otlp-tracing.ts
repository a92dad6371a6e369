import { randomUUID } from 'node:crypto';
import { type SpanContext as SpanIds, SpanKind, TraceFlags } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { TracerShim } from '@opentelemetry/shim-opentracing';
import { type Span, type SpanContext, type SpanOptions, Tags } from 'opentracing';
import type { Logger } from 'pino';
import { BoundedQueue } from './bounded-queue.ts';
import type { Tracing, TracingOptions } from './tracing.ts';
import { toTraceparent } from './uber-trace-id.ts';

export interface OtlpTracingOptions extends TracingOptions {
  /** The collector's URL without the path: `http://localhost:4318`. */
  url: string;
  /** The most spans that wait to be sent. Further ones are dropped. */
  queueSize: number;
}

/** The longest time to send one batch, including retries, and so the longest time to close, in milliseconds. */
const exportTimeoutMs = 3_000;

/** Sends spans to an OpenTelemetry collector over OTLP/HTTP. Passes contexts on in the W3C headers. */
export class OtlpTracing implements Tracing {
  readonly tracer: TracerShim;
  readonly #provider: TracerProvider;
  #ratio: TraceIdRatioBasedSampler;

  constructor({ url, serviceName, sampleRatio, queueSize }: OtlpTracingOptions, log: Logger) {
    const exporter = new OTLPTraceExporter({
      url: `${url.replace(/\/+$/, '')}/v1/traces`,
      timeoutMillis: exportTimeoutMs,
    });
    const queue = new BoundedQueue(
      (bounded) => new BatchSpanProcessor({ exporter: bounded, scheduledDelayMillis: 1_000, maxQueueSize: queueSize }),
      { exporter, size: queueSize, log },
    );
    this.#ratio = new TraceIdRatioBasedSampler(sampleRatio);
    const root: Sampler = {
      shouldSample: (context, traceId) => this.#ratio.shouldSample(context, traceId),
      toString: () => this.#ratio.toString(),
    };
    this.#provider = new TracerProvider({
      resource: defaultResource().merge(
        resourceFromAttributes({ 'service.name': serviceName, 'service.instance.id': randomUUID() }),
      ),
      sampler: new ParentBasedSampler({ root }),
      spanProcessors: [queue],
    });
    this.tracer = new CompleteShim(this.#provider.getTracer(serviceName));
  }

  setSampleRatio(ratio: number): void {
    this.#ratio = new TraceIdRatioBasedSampler(ratio);
  }

  isSampled(context: SpanContext): boolean {
    // The library does not export the class of its contexts.
    const { traceFlags } = (context as SpanContext & { getSpanContext(): SpanIds }).getSpanContext();
    return (traceFlags & TraceFlags.SAMPLED) !== 0;
  }

  close(): Promise<void> {
    return this.#provider.shutdown();
  }
}

const kinds: Record<string, SpanKind> = {
  [Tags.SPAN_KIND_RPC_SERVER]: SpanKind.SERVER,
  [Tags.SPAN_KIND_RPC_CLIENT]: SpanKind.CLIENT,
  [Tags.SPAN_KIND_MESSAGING_PRODUCER]: SpanKind.PRODUCER,
  [Tags.SPAN_KIND_MESSAGING_CONSUMER]: SpanKind.CONSUMER,
};

/**
 * Sets the kind of spans by their tag `span.kind`, which the shim would make an attribute of an INTERNAL span, and understands Jaeger's header, which says less
 * than those of W3C where a request has both.
 */
class CompleteShim extends TracerShim {
  readonly #next: { kind: SpanKind };

  constructor(tracer: ReturnType<TracerProvider['getTracer']>) {
    const next = { kind: SpanKind.INTERNAL };
    const withKind: typeof tracer = {
      startSpan: (name, options, context) => tracer.startSpan(name, { ...options, kind: next.kind }, context),
      startActiveSpan: tracer.startActiveSpan.bind(tracer),
    };
    const propagator = new W3CTraceContextPropagator();
    super(withKind, { textMapPropagator: propagator, httpHeadersPropagator: propagator });
    this.#next = next;
  }

  override startSpan(name: string, { tags = {}, ...options }: SpanOptions = {}): Span {
    const { [Tags.SPAN_KIND]: kind, ...attributes } = tags;
    this.#next.kind = kinds[kind] ?? SpanKind.INTERNAL;
    return super.startSpan(name, { ...options, tags: attributes });
  }

  override extract(format: string, carrier: Record<string, string>): SpanContext | null {
    const traceparent = toTraceparent(carrier['uber-trace-id']);
    return super.extract(format, traceparent ? { traceparent, ...carrier } : carrier);
  }
}
