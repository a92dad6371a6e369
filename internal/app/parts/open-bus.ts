import type { Logger } from 'pino';
import { BrokerBus } from '../../client/bus/broker-bus.ts';
import type { Bus } from '../../client/bus/bus.ts';
import { EpochBus } from '../../client/bus/epoch-bus.ts';
import type { OpenLink } from '../../client/bus/link.ts';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import { natsLink } from '../../client/bus/nats-link.ts';
import { postgresLink } from '../../client/bus/postgres-link.ts';
import { redisLink } from '../../client/bus/redis-link.ts';
import { TracedBus } from '../../client/bus/traced-bus.ts';
import type { Metrics } from '../../client/metrics/metrics.ts';
import type { Tracing } from '../../client/tracing/tracing.ts';
import type { BusConfig } from '../../config/groups/bus-config.ts';
import type { OpenedDatabase } from '../database/open-database.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';
import { readCa } from './read-ca.ts';

interface Deps {
  /** Replaces the configured bus. */
  bus?: Bus | undefined;
  database: OpenedDatabase;
  log: Logger;
  metrics?: Metrics;
  resources: ResourceStack;
  /** Traces what is published and delivered; absent or false: nothing does. */
  tracing?: Tracing | false;
}

/** How OpenTelemetry calls the brokers. */
const systems = { memory: 'memory', postgres: 'postgresql', nats: 'nats', redis: 'redis' } as const;

/** How long the broker may take to answer, in milliseconds. */
const timeoutMs = 5_000;

/** Opens the bus at BUS_URL. While its broker is away the bus logs a warning and tries again, without end. */
export async function openBus(config: BusConfig, deps: Deps): Promise<Bus> {
  const { database, metrics, tracing } = deps;
  const bus = new EpochBus(deps.bus ?? (await connect(config, deps)), database.epochs, metrics);
  return tracing ? new TracedBus({ bus, tracing, system: systems[config.kind] }) : bus;
}

async function connect(config: BusConfig, { database, log, resources }: Deps): Promise<Bus> {
  const bus =
    config.kind === 'memory'
      ? new MemoryBus()
      : await BrokerBus.start({ open: await linkOf(config, database), log: log.child({ bus: config.kind }) });
  resources.add('the bus', () => bus.close());
  return bus;
}

async function linkOf(config: Exclude<BusConfig, { kind: 'memory' }>, { dsn }: OpenedDatabase): Promise<OpenLink> {
  switch (config.kind) {
    case 'postgres':
      return postgresLink({ dsn, timeoutMs });
    case 'nats':
      return natsLink({ ...config, ca: await readCa('BUS_CA', config.caFile), timeoutMs });
    case 'redis':
      return redisLink({ ...config, ca: await readCa('BUS_CA', config.caFile), timeoutMs });
    default:
      return config satisfies never;
  }
}
