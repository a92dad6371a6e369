import type { EnvReader } from '../reading/env-reader.ts';
import { findPlainUrls, type Insecurity } from '../reading/insecure.ts';

/** Where spans are sent. */
export interface TracingConfig {
  /** `http:` and `https:` name an OTLP collector, `jaeger:` a Jaeger agent. Absent: no tracing. */
  url: string | undefined;
  /** The share of the traces begun here that is recorded, from 0 to 1. */
  sampleRatio: number;
  /** The most spans that wait for the collector. Further ones are dropped. */
  queueSize: number;
}

export function readTracing(read: EnvReader): TracingConfig {
  const url = read.url('TRACING_URL', ['http:', 'https:', 'jaeger:']);
  const { protocol, hostname } = URL.parse(url ?? '') ?? {};
  read.require(
    protocol !== 'jaeger:' || hostname !== '',
    'TRACING_URL must name a host, as in jaeger://localhost:6832',
  );
  return {
    url,
    sampleRatio: read.number('TRACING_SAMPLE_RATIO', 1, { min: 0, max: 1 }),
    queueSize: read.integer('TRACING_QUEUE_SIZE', 8_192, { min: 512, max: 1_000_000 }),
  };
}

/** A collector on another machine in plain text. Jaeger agents know nothing else. */
export function findTracingInsecurities({ url }: TracingConfig): Insecurity[] {
  return findPlainUrls({ TRACING_URL: url });
}
