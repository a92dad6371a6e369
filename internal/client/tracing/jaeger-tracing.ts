import { isIPv6 } from 'node:net';
import jaeger, { type JaegerTracer } from 'jaeger-client';
import { FORMAT_HTTP_HEADERS } from 'opentracing';
import type { Logger } from 'pino';
import { RareWarning } from '../logging/rare-warning.ts';
import { type SamplingOptions, serviceName, type Tracing } from './tracing.ts';

export interface JaegerTracingOptions extends SamplingOptions {
  host: string;
  port: number;
}

/** `<trace id>:<span id>:<parent id>:<flags>`. Source: https://www.jaegertracing.io/docs/1.76/client-libraries/#propagation-format */
const uberTraceId = /^[0-9a-f]{1,32}(:|%3a)[0-9a-f]{1,16}(:|%3a)[0-9a-f]{1,16}(:|%3a)[0-9a-f]{1,2}$/i;

const closeTimeoutMs = 3_000;

/** Sends spans to a Jaeger agent over UDP, and continues the traces of callers by Jaeger's header `uber-trace-id`. */
export class JaegerTracing implements Tracing {
  readonly tracer: JaegerTracer;
  #closed: Promise<void> | undefined;

  constructor({ host, port, sampleRatio }: JaegerTracingOptions, log: Logger) {
    const warning = new RareWarning(log, 'spans could not be sent and are lost');
    this.tracer = jaeger.initTracer(
      {
        serviceName,
        traceId128bit: true,
        sampler: { type: 'probabilistic', param: sampleRatio },
        reporter: { agentHost: host, agentPort: port, agentSocketType: isIPv6(host) ? 'udp6' : 'udp4' },
      },
      { logger: { info: (text) => log.debug(text), error: (text) => warning.add(text) } },
    );
    const codec = new jaeger.TextMapCodec({ urlEncoding: true, contextKey: 'uber-trace-id' });
    // Without this check, jaeger-client accepts malformed ids and fails later, when it sends them.
    this.tracer.registerExtractor(FORMAT_HTTP_HEADERS, {
      extract: (carrier) => (uberTraceId.test(carrier['uber-trace-id']) ? codec.extract(carrier) : null),
    });
  }

  setSampleRatio(ratio: number): void {
    // The library has no other way to change the ratio of a tracer, or to give it a sampler.
    const { _sampler } = this.tracer as unknown as { _sampler: { update(ratio: number): boolean } };
    _sampler.update(ratio);
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
