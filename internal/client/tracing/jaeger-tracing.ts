import { isIPv6 } from 'node:net';
import jaeger, { type JaegerTracer } from 'jaeger-client';
import { FORMAT_HTTP_HEADERS, type SpanContext } from 'opentracing';
import type { Logger } from 'pino';
import { RareWarning } from '../logging/rare-warning.ts';
import type { Tracing, TracingOptions } from './tracing.ts';
import { toTraceparent, toUberTraceId } from './uber-trace-id.ts';

export interface JaegerTracingOptions extends TracingOptions {
  host: string;
  port: number;
}

const closeTimeoutMs = 3_000;

/** Sends spans to a Jaeger agent over UDP. Passes contexts on in Jaeger's header `uber-trace-id`, which has no room for `tracestate`. */
export class JaegerTracing implements Tracing {
  readonly tracer: JaegerTracer;
  #closed: Promise<void> | undefined;

  constructor({ host, port, serviceName, sampleRatio }: JaegerTracingOptions, log: Logger) {
    const warning = new RareWarning(log, 'spans could not be sent and are lost');
    this.tracer = jaeger.initTracer(
      {
        serviceName,
        sampler: { type: 'probabilistic', param: sampleRatio },
        reporter: { agentHost: host, agentPort: port, agentSocketType: isIPv6(host) ? 'udp6' : 'udp4' },
      },
      { traceId128bit: true, logger: { info: (text) => log.debug(text), error: (text) => warning.add(text) } },
    );
    const codec = new jaeger.TextMapCodec({ urlEncoding: true, contextKey: 'uber-trace-id' });
    // jaeger-client accepts malformed ids, and fails later, when it sends them.
    this.tracer.registerExtractor(FORMAT_HTTP_HEADERS, {
      extract: (carrier) => {
        const traceparent = toTraceparent(carrier['uber-trace-id']);
        const context = toUberTraceId(carrier.traceparent) ?? toUberTraceId(traceparent);
        return context === undefined ? null : codec.extract({ 'uber-trace-id': context });
      },
    });
  }

  setSampleRatio(ratio: number): void {
    // The library has no other way to change the ratio of a tracer, or to give it a sampler.
    const { _sampler } = this.tracer as unknown as { _sampler: { update(ratio: number): boolean } };
    _sampler.update(ratio);
  }

  isSampled(context: SpanContext): boolean {
    return (context as SpanContext & { isSampled(): boolean }).isSampled();
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      const timer = setTimeout(resolve, closeTimeoutMs);
      this.tracer.close(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    return this.#closed;
  }
}
