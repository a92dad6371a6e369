import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../internal/embedded/server/free-port.ts';
import { startNats, startRedis } from '../../internal/servers/brokers.ts';
import { startHaproxy } from '../../internal/servers/haproxy.ts';
import { startAlertmanager, startPrometheus } from '../../internal/servers/monitoring.ts';
import { NodeProcess } from '../../internal/servers/node-process.ts';
import { PostgresProcess } from '../../internal/servers/postgres-process.ts';
import type { ServerProcess } from '../../internal/servers/server-process.ts';
import { startJaeger } from './jaeger.ts';
import { isOnPath } from './on-path.ts';

export interface StackOptions {
  nodes: number;
  /** The folder for the nodes' logs. It is kept. */
  logs: string;
  print(line: string): void;
}

/** What runs, by name. */
export type Addresses = Readonly<Record<string, string>>;

const scrapeSeconds = 5;

/** The programs that it needs, which are also Debian packages of these names. */
const programs = ['nats-server', 'redis-server', 'haproxy', 'prometheus', 'prometheus-alertmanager'];

/** The parts of deploy/stack.yml as local programs on free ports of loopback. What they store is removed when they end. */
export class LocalStack {
  #addresses: Addresses = {};
  readonly #opened = new AsyncDisposableStack();

  private constructor() {}

  /** Resolves when every node is ready. Throws when the signal aborts, or a program is missing; leaves nothing behind when it throws. */
  static async start(options: StackOptions, signal: AbortSignal): Promise<LocalStack> {
    const missing = programs.filter((program) => !isOnPath(program));
    if (missing.length > 0)
      throw new Error(`programs are missing: apt-get install --no-install-recommends ${missing.join(' ')}`);
    const stack = new LocalStack();
    try {
      await stack.#start(options, signal);
      return stack;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  get addresses(): Addresses {
    return this.#addresses;
  }

  /** Ends everything, the last first. Twice is harmless. */
  stop(): Promise<void> {
    return this.#opened.disposeAsync();
  }

  async #start({ nodes: count, logs, print }: StackOptions, signal: AbortSignal): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'chat-stack-'));
    this.#opened.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
    await mkdir(logs, { recursive: true });
    const open = async (what: string, start: () => Promise<ServerProcess>): Promise<ServerProcess> => {
      signal.throwIfAborted();
      print(`starting ${what}`);
      const server = await start();
      this.#opened.defer(() => server.stop());
      return server;
    };

    print('starting PostgreSQL');
    const postgres = await PostgresProcess.start(folder, { max_connections: '150' });
    this.#opened.defer(() => postgres.stop());
    const nats = await open('NATS', startNats);
    const redis = await open('Redis', startRedis);
    const jaeger = isOnPath('jaeger') ? await open('Jaeger', startJaeger) : undefined;
    if (!jaeger) print('no Jaeger: there is no program `jaeger` on the PATH, so there are no traces');
    const nodes: { name: string; grpc: number; http: number; admin: number }[] = [];
    for (let i = 1; i <= count; i += 1) {
      nodes.push({ name: `node ${i}`, grpc: await freePort(), http: await freePort(), admin: await freePort() });
    }
    const alertmanager = await open('Alertmanager', startAlertmanager);
    const chatPorts = nodes.map(({ admin }) => admin);
    const options = { chatPorts, alertmanagerPort: alertmanager.port, everySeconds: scrapeSeconds };
    // Before the nodes, whose consoles ask it.
    const prometheus = await open('Prometheus', () => startPrometheus(options));
    const settings = {
      POSTGRES_DSN: await postgres.createDatabase('chat'),
      BUS_URL: `nats://127.0.0.1:${nats.port}`,
      REDIS_URL: `redis://127.0.0.1:${redis.port}`,
      INGEST: 'jetstream',
      EXPORT: 'jetstream',
      AUTH_ISSUER: 'chat-service',
      AUTH_GUESTS: 'true',
      TRUSTED_PROXIES: 'loopback',
      ADMIN_PROMETHEUS_URL: `http://127.0.0.1:${prometheus.port}`,
      LOG_FORMAT: 'json',
      ...(jaeger && { TRACING_URL: `http://127.0.0.1:${jaeger.port}` }),
    };
    for (const [index, node] of nodes.entries()) {
      print(`starting ${node.name}`);
      const ports = { GRPC_PORT: `${node.grpc}`, HTTP_PORT: `${node.http}`, ADMIN_PORT: `${node.admin}` };
      const env = { ...settings, ...ports };
      const logFile = join(logs, `node-${index + 1}.log`);
      const process = new NodeProcess({ name: node.name, env, adminPort: node.admin, logFile });
      this.#opened.defer(() => process.end('SIGKILL'));
      // One after the other: the first node creates the schema.
      await process.start(signal);
      signal.throwIfAborted();
    }
    const grpcPort = await freePort();
    const haproxy = await open('HAProxy', () => startHaproxy(nodes, grpcPort));
    this.#addresses = {
      HTTP: `http://127.0.0.1:${haproxy.port}`,
      gRPC: `127.0.0.1:${grpcPort}`,
      ...Object.fromEntries(
        nodes.map(({ name, grpc, http, admin }) => [
          name,
          `127.0.0.1:${grpc}, http://127.0.0.1:${http}, console http://127.0.0.1:${admin}/admin`,
        ]),
      ),
      Prometheus: `http://127.0.0.1:${prometheus.port}`,
      Alertmanager: `http://127.0.0.1:${alertmanager.port}`,
      ...(jaeger && { Jaeger: 'http://127.0.0.1:16686' }),
      PostgreSQL: settings.POSTGRES_DSN,
      NATS: settings.BUS_URL,
      Redis: settings.REDIS_URL,
      logs,
    };
  }
}
