import { readFileSync } from 'node:fs';
import { logVerbosity, type ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import { createServer, type Server } from 'nice-grpc';
import { HealthDefinition, HealthServiceImpl, HealthState } from 'nice-grpc-server-health';
import { ServerReflection, ServerReflectionService } from 'nice-grpc-server-reflection';
import type { Interceptor } from '../../interceptor/call.ts';
import type { NodeTeller } from '../../service/nodes/node-beat.ts';
import { clientAddressVia } from '../shared/calls/client-address.ts';
import { decodeStrictly } from '../shared/calls/decoding.ts';
import type { ServedService } from '../shared/operations/served-service.ts';
import { recordGateways } from './gateway-news.ts';
import { toMiddleware } from './middleware.ts';

export interface GrpcServerOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  /** TLS credentials; absent: plain text. */
  credentials?: ServerCredentials | undefined;
  maxFrameBytes: number;
  /** Calls that a connection may have open, streams included. Further ones are refused, or wait in the client. */
  maxStreamsPerConnection: number;
  /** The interval of HTTP/2 pings, in milliseconds. A connection that has not answered after half of it is closed. */
  keepaliveMs: number;
  /** Gateways and proxies whose X-Forwarded-For is believed. */
  trustedProxies: readonly string[];
}

interface Deps {
  services: readonly ServedService[];
  interceptor: Interceptor;
  /** Where gateways are recorded; absent: nowhere. */
  nodes?: NodeTeller | undefined;
}

// grpc-js also prints the errors that it throws.
if (!process.env.GRPC_VERBOSITY) setLogVerbosity(logVerbosity.NONE);

/** Megabytes of headers and unsent answers that a connection may hold. With more, its further calls are refused. */
const maxConnectionMegabytes = 64;

const protoset = new URL('../../../pkg/api/descriptors.binpb', import.meta.url);

/** Serves the contract's services, health and reflection over gRPC. */
export class GrpcServer {
  readonly #server: Server;
  readonly #health = HealthState();
  readonly #names: readonly string[];
  readonly #options: GrpcServerOptions;

  constructor({ services, interceptor, nodes }: Deps, options: GrpcServerOptions) {
    this.#options = options;
    this.#names = [...services.map(({ definition }) => definition.fullName), 'grpc.health.v1.Health'];
    this.setServing(false);
    this.#server = createServer({
      'grpc.max_receive_message_length': options.maxFrameBytes,
      'grpc.max_concurrent_streams': options.maxStreamsPerConnection,
      'grpc-node.max_session_memory': maxConnectionMegabytes,
      'grpc.keepalive_time_ms': options.keepaliveMs,
      'grpc.keepalive_timeout_ms': options.keepaliveMs / 2,
    });
    // Health and reflection need no token, so they are added without the interceptors.
    const health = nodes ? this.#server.with(recordGateways(nodes, options.trustedProxies)) : this.#server;
    health.add(HealthDefinition, HealthServiceImpl(this.#health));
    this.#server.add(ServerReflectionService, ServerReflection(readFileSync(protoset), [...this.#names]));
    const intercepted = this.#server.with(toMiddleware(interceptor, clientAddressVia(options.trustedProxies)));
    for (const { definition, handlers } of services) intercepted.add(decodeStrictly(definition), handlers);
  }

  /** Starts listening and returns the port. Throws an Error that names the address and the cause. */
  async listen(): Promise<number> {
    const { host, port, credentials } = this.#options;
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    try {
      return await this.#server.listen(address, credentials);
    } catch (cause) {
      const { message } = cause as Error;
      const why = /EADDRINUSE/.test(message)
        ? 'the port is taken (set GRPC_PORT)'
        : (/listen (E[^\]]+)/.exec(message)?.[1] ?? message);
      throw new Error(`cannot listen for gRPC on ${address}: ${why}`, { cause });
    }
  }

  /** Sets the status that grpc.health.v1 reports for the server as a whole and for each service. */
  setServing(serving: boolean): void {
    for (const service of ['', ...this.#names]) this.#health.setStatus(serving ? 'healthy' : 'unhealthy', service);
  }

  /** Sets the status that grpc.health.v1 reports for one part, such as the bus, without which the service still works. */
  setHealth(name: string, healthy: boolean): void {
    this.#health.setStatus(healthy ? 'healthy' : 'unhealthy', name);
  }

  /** Refuses new calls, waits for the open ones, and ends those that are left after `graceMs` milliseconds. */
  async stop(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#server.forceShutdown(), graceMs);
    try {
      await this.#server.shutdown();
    } finally {
      clearTimeout(timer);
    }
  }
}
