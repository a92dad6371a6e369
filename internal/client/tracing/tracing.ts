import type { Tracer } from 'opentracing';

/** Sends the spans of this service to a tracing system. A failure to send is logged and never reaches the code that opens and finishes spans. */
export interface Tracing {
  readonly tracer: Tracer;
  /** Changes the share of traces that is recorded, from the next trace on. */
  setSampleRatio(ratio: number): void;
  /** Sends the remaining spans, for a few seconds at most. Never throws. Idempotent. */
  close(): Promise<void>;
}

/** The service name in every span. */
export const serviceName = 'chat-service';

export interface SamplingOptions {
  /** The share of traces that is recorded, from 0 to 1. Applies to traces that begin in this service; other services decide for theirs. */
  sampleRatio: number;
}
