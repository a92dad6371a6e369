import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../embedded/server/free-port.ts';
import { startNats, startRedis } from '../servers/brokers.ts';
import { NodeProcess } from '../servers/node-process.ts';
import type { ServerProcess } from '../servers/server-process.ts';
import type { Deployment } from '../verify/transports/deployment.ts';
import { clockSkew } from './clock-skew.ts';
import { Database, type Replacement } from './database.ts';
import { Link } from './link.ts';

export interface ClusterOptions {
  nodes: number;
  bus: 'memory' | 'postgres' | 'nats' | 'redis';
  ingest: 'direct' | 'jetstream';
  /** The folder for the nodes' logs; absent: they are removed with everything else. */
  logs: string | undefined;
  /** How many of the nodes no fault may end; default: none. */
  lasting?: number;
  /** NODE_OPTIONS of every node. */
  nodeOptions?: string;
}

/** Brokers by name. */
export type BrokerName = 'nats' | 'redis';

/** Several nodes of the service, with the database and brokers that they need: each a process of its own, connected by links that can be broken. */
export class Cluster {
  readonly nodes: NodeProcess[] = [];
  /** Those that faults may end. */
  readonly mortals: NodeProcess[] = [];
  readonly links: Link[] = [];
  readonly brokers = new Map<BrokerName, ServerProcess>();
  deployment: Deployment = { grpc: [], http: [] };
  database!: Database;
  /** Told when another server takes the place of the primary. */
  replacement: Replacement = { begins() {}, found() {} };
  readonly #folder: string;
  readonly #stopping = new AbortController();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Resolves when every node is ready. Throws when the signal aborts; leaves nothing behind when it throws. */
  static async start(options: ClusterOptions, signal = new AbortController().signal): Promise<Cluster> {
    const cluster = new Cluster(await mkdtemp(join(tmpdir(), 'chat-chaos-')));
    try {
      await cluster.#start(options, signal);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Ends everything and removes it. Twice is harmless. */
  async stop(): Promise<void> {
    if (this.stopping.aborted) return;
    this.#stopping.abort();
    for (const node of this.nodes) node.signal('SIGCONT');
    await Promise.all(this.nodes.map((node) => node.end('SIGKILL')));
    for (const broker of this.brokers.values()) await broker.stop();
    for (const link of this.links) await link.close();
    await this.database?.stop();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }

  async #start(
    { nodes, bus, ingest, logs, lasting = 0, nodeOptions = '' }: ClusterOptions,
    signal: AbortSignal,
  ): Promise<void> {
    const logFolder = logs ?? join(this.#folder, 'logs');
    await mkdir(logFolder, { recursive: true });
    this.database = await Database.start(join(this.#folder, 'disk'), signal);
    if (bus === 'nats' || ingest === 'jetstream') this.brokers.set('nats', await startNats());
    if (bus === 'redis') this.brokers.set('redis', await startRedis());
    signal.throwIfAborted();
    const [grpc, http]: [string[], string[]] = [[], []];
    for (let i = 1; i <= nodes; i += 1) {
      const name = `node-${i}`;
      const [grpcPort, httpPort, adminPort] = [await freePort(), await freePort(), await freePort()];
      const env = {
        ADMIN_PORT: String(adminPort),
        GRPC_PORT: String(grpcPort),
        HTTP_PORT: String(httpPort),
        ...(await this.#settings(name, bus, ingest)),
        NODE_OPTIONS: i === nodes && nodes > 1 ? `${nodeOptions} ${clockSkew(2_000)}` : nodeOptions,
      };
      grpc.push(`127.0.0.1:${(await this.#link(`clients → ${name} (gRPC)`, () => grpcPort)).port}`);
      http.push(`http://127.0.0.1:${(await this.#link(`clients → ${name} (HTTP)`, () => httpPort)).port}`);
      const node = new NodeProcess({ name, env, adminPort, logFile: join(logFolder, `${name}.log`) });
      this.nodes.push(node);
      if (i > lasting) this.mortals.push(node);
      // One after the other: the first node creates the schema.
      await node.start(signal);
      signal.throwIfAborted();
    }
    this.deployment = { grpc, http };
  }

  async #settings(node: string, bus: ClusterOptions['bus'], ingest: ClusterOptions['ingest']) {
    const dsn = new URL(this.database.dsn);
    dsn.port = String((await this.#link(`${node} → PostgreSQL`, () => this.database.port)).port);
    const env: Record<string, string> = {
      POSTGRES_DSN: dsn.href,
      POSTGRES_POOL_SIZE: '8',
      AUTH_ISSUER: 'chat-service',
      AUTH_GUESTS: 'true',
      // So short that many expire during a run.
      AUTH_TOKEN_TTL_SECONDS: '20',
      LOG_FORMAT: 'json',
      RATE_LIMIT_MESSAGES: '0',
      RATE_LIMIT_CALLS: '0',
      RATE_LIMIT_GUESTS: '0',
      REPAIR_INTERVAL_MS: '500',
      RECONNECT_SPREAD_MS: '500',
      DRAIN_TIMEOUT_MS: '5000',
      WEB_PAGE: 'false',
      INGEST: ingest,
      BUS_URL: bus === 'memory' || bus === 'postgres' ? `${bus}:` : '',
    };
    for (const [name, broker] of this.brokers) {
      const { port } = await this.#link(`${node} → ${name === 'nats' ? 'NATS' : 'Redis'}`, () => broker.port);
      const url = `${name}://127.0.0.1:${port}`;
      if (bus === name) env.BUS_URL = url;
      env[name === 'nats' ? 'NATS_URL' : 'REDIS_URL'] = url;
    }
    return env;
  }

  async #link(name: string, port: () => number): Promise<Link> {
    const link = await Link.to(name, port);
    this.links.push(link);
    return link;
  }
}
