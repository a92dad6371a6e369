import type { Tracer } from 'opentracing';

/** Where the spans of this service go. Whatever becomes of them there, whoever opens and finishes spans never notices. */
export interface Tracing {
  readonly tracer: Tracer;
  /** Sends the spans that are left, as far as that is possible within a few seconds. Never throws; twice is harmless. */
  close(): Promise<void>;
}

/** The name under which the spans appear. */
export const serviceName = 'chat-service';

export interface SamplingOptions {
  /** The share of the traces begun here that is recorded, from 0 to 1. Of a trace begun elsewhere, its beginning decides. */
  sampleRatio: number;
}
