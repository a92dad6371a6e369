import type { Logger } from 'pino';
import { NoTracing } from '../../client/tracing/no-tracing.ts';
import type { Tracing } from '../../client/tracing/tracing.ts';
import type { Config } from '../../config/config.ts';
import type { LiveConfig } from '../../config/live/live-config.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';

/** Opens tracing to TRACING_URL, with the sample ratio that is in force. */
export async function openTracing(
  live: LiveConfig<Config>,
  { log, resources }: { log: Logger; resources: ResourceStack },
): Promise<Tracing> {
  const traces = await create(live.current.tracing, log);
  resources.add('the traces', () => traces.close());
  live.onReload(({ tracing }) => traces.setSampleRatio(tracing.sampleRatio));
  return traces;
}

/** The libraries are large, so only the one that is needed is loaded. */
async function create({ url, sampleRatio }: Config['tracing'], log: Logger): Promise<Tracing> {
  if (!url) return new NoTracing();
  const { protocol, hostname, port } = new URL(url);
  if (protocol === 'jaeger:') {
    const { JaegerTracing } = await import('../../client/tracing/jaeger-tracing.ts');
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    return new JaegerTracing({ host, port: Number(port) || 6_832, sampleRatio }, log);
  }
  const { OtlpTracing } = await import('../../client/tracing/otlp-tracing.ts');
  return new OtlpTracing({ url, sampleRatio }, log);
}
