import type { Logger } from 'pino';
import { NoTracing } from '../../client/tracing/no-tracing.ts';
import type { Tracing } from '../../client/tracing/tracing.ts';
import type { TracingConfig } from '../../config/groups/tracing-config.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';

interface Deps {
  log: Logger;
  resources: ResourceStack;
}

/** The settings in force, of whichever program. */
interface Settings {
  readonly current: { tracing: TracingConfig };
  onReload(listener: (config: { tracing: TracingConfig }) => void): unknown;
}

/** Opens tracing to TRACING_URL for the program of that name, with the sample ratio that is in force. */
export async function openTracing(live: Settings, serviceName: string, { log, resources }: Deps): Promise<Tracing> {
  const traces = await create(live.current.tracing, serviceName, log);
  resources.add('the traces', () => traces.close());
  live.onReload(({ tracing }) => traces.setSampleRatio(tracing.sampleRatio));
  return traces;
}

/** The libraries are large, so only the one that is needed is loaded. */

async function create(
  { url, sampleRatio, queueSize }: TracingConfig,
  serviceName: string,
  log: Logger,
): Promise<Tracing> {
  if (!url) return new NoTracing();
  const { protocol, hostname, port } = new URL(url);
  if (protocol === 'jaeger:') {
    const { JaegerTracing } = await import('../../client/tracing/jaeger-tracing.ts');
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    return new JaegerTracing({ host, port: Number(port) || 6_832, serviceName, sampleRatio }, log);
  }
  const { OtlpTracing } = await import('../../client/tracing/otlp-tracing.ts');
  return new OtlpTracing({ url, serviceName, sampleRatio, queueSize }, log);
}
