import type { SpanContext, Tracer } from 'opentracing';

/** Sends the spans of this service to a tracing system. A failure to send is logged and never reaches the code that opens and finishes spans. */
export interface Tracing {
  /**
   * Continues the traces of callers by the W3C headers `traceparent` and `tracestate`, else by Jaeger's header `uber-trace-id`. Sets the kind of a span by
   * its tag `span.kind`.
   */
  readonly tracer: Tracer;
  /** Whether spans of this trace are recorded and sent. */
  isSampled(context: SpanContext): boolean;
  /** Changes the share of traces that is recorded, from the next trace on. */
  setSampleRatio(ratio: number): void;
  /** Sends the remaining spans, for a few seconds at most. Never throws. Idempotent. */
  close(): Promise<void>;
}

export interface TracingOptions {
  /** The name of the program in its spans. */
  serviceName: string;
  /** The share of traces that is recorded, from 0 to 1. Applies to traces that begin in this service; other services decide for theirs. */
  sampleRatio: number;
}
