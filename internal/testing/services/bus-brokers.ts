import type { OpenLink } from '../../client/bus/link.ts';
import { natsLink } from '../../client/bus/nats-link.ts';
import { postgresLink } from '../../client/bus/postgres-link.ts';
import { redisLink } from '../../client/bus/redis-link.ts';
import { startNats, startRedis } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { startTcpProxy } from '../faults/tcp-proxy.ts';
import { createTestDatabase } from './test-database.ts';

/** A broker for a bus, whose faults a test can cause. */
export interface BusBroker {
  open: OpenLink;
  /** The settings of a service that uses this broker: BUS_URL and others. */
  env: Record<string, string>;
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Stops answering, but leaves the connections open. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

const timeoutMs = 1_000;

/** Starts a broker of each kind. NATS and Redis are real servers of their own; PostgreSQL is shared, so a proxy in front of it causes the faults. */
export const busBrokers: Record<'NATS' | 'Redis' | 'PostgreSQL', () => Promise<BusBroker>> = {
  NATS: async () => {
    const server = await startNats();
    const url = `nats://127.0.0.1:${server.port}`;
    return ofServer(server, url, natsLink({ url, prefix: 'chat', timeoutMs }));
  },
  Redis: async () => {
    const server = await startRedis();
    const url = `redis://127.0.0.1:${server.port}`;
    return ofServer(server, url, redisLink({ url, prefix: 'chat', timeoutMs }));
  },
  PostgreSQL: async () => {
    const proxy = await startTcpProxy(await createTestDatabase());
    return {
      open: postgresLink({ dsn: proxy.dsn, timeoutMs }),
      env: { BUS_URL: 'postgres:', POSTGRES_DSN: proxy.dsn },
      kill: async () => proxy.cut(),
      restart: async () => proxy.restore(),
      freeze: () => proxy.freeze(),
      thaw: () => {},
      stop: () => proxy.close(),
    };
  },
};

function ofServer(server: ServerProcess, url: string, open: OpenLink): BusBroker {
  return {
    open,
    env: { BUS_URL: url },
    kill: () => server.kill(),
    restart: () => server.restart(),
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    stop: () => server.stop(),
  };
}
