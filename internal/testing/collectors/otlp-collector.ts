import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ReceivedSpan } from './received-span.ts';

/** A span in OTLP's JSON form. */
export interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** 1: internal, 2: server, 3: client, 4: producer, 5: consumer. */
  kind: number;
  /** The code is 2 for an error. */
  status: { code: number };
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
  events: { name: string; attributes: OtlpSpan['attributes'] }[];
  links: { traceId: string; spanId: string }[];
  /** `service.name` of the program that sent it. */
  service: string;
}

/** An OpenTelemetry collector that receives spans over OTLP/HTTP and keeps them. */
export class OtlpCollector {
  readonly url: string;
  readonly spans: OtlpSpan[] = [];
  /** The attributes of the program that sent the spans. */
  resource: OtlpSpan['attributes'] = [];
  readonly #stop: () => void;

  private constructor(url: string, stop: () => void) {
    this.url = url;
    this.#stop = stop;
  }

  /** Starts a collector. With `silent` it accepts connections and never answers. */
  static async start({ silent = false } = {}): Promise<OtlpCollector> {
    const server = createServer(async (request, response) => {
      const { resourceSpans } = JSON.parse(await text(request));
      if (silent) return;
      for (const { resource, scopeSpans } of request.url === '/v1/traces' ? resourceSpans : []) {
        collector.resource = resource.attributes;
        const service = attribute(resource.attributes, 'service.name');
        for (const { spans } of scopeSpans)
          collector.spans.push(...spans.map((span: OtlpSpan) => ({ ...span, service })));
      }
      response.setHeader('content-type', 'application/json').end('{}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const collector = new OtlpCollector(`http://127.0.0.1:${port}`, () => {
      server.close();
      server.closeAllConnections();
    });
    return collector;
  }

  /** The spans with a name. */
  named(name: string): OtlpSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  received(): ReceivedSpan[] {
    return this.spans.map(({ attributes, kind, parentSpanId = '', ...span }) => {
      const tags = Object.fromEntries(attributes.map(({ key }) => [key, attribute(attributes, key)]));
      return { ...span, parentSpanId, kind: kinds[kind - 1] ?? 'unknown', tags };
    });
  }

  stop(): void {
    this.#stop();
  }
}

const kinds = ['internal', 'server', 'client', 'producer', 'consumer'];

export function attribute(attributes: OtlpSpan['attributes'], key: string): string | number | undefined {
  const value = attributes.find((attribute) => attribute.key === key)?.value;
  return value?.stringValue ?? value?.intValue;
}
