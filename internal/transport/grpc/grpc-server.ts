import { readFileSync } from 'node:fs';
import { logVerbosity, type ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import { createServer, type Server } from 'nice-grpc';
import { HealthDefinition, HealthServiceImpl, HealthState } from 'nice-grpc-server-health';
import { ServerReflection, ServerReflectionService } from 'nice-grpc-server-reflection';
import type { Interceptor } from '../../interceptor/call.ts';
import { clientAddressVia } from '../shared/calls/client-address.ts';
import { decodeStrictly } from '../shared/calls/decoding.ts';
import type { ServedService } from '../shared/operations/served-service.ts';
import { toMiddleware } from './middleware.ts';

export interface GrpcServerOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  /** Absent: plain text. */
  credentials?: ServerCredentials | undefined;
  maxFrameBytes: number;
  /** How long a connection may be silent before it is asked whether it lives, in milliseconds. */
  keepaliveMs: number;
  /** Gateways and proxies whose x-forwarded-for is believed. */
  trustedProxies: readonly string[];
}

interface Deps {
  services: readonly ServedService[];
  interceptor: Interceptor;
}

// The library prints what it throws as well.
if (!process.env.GRPC_VERBOSITY) setLogVerbosity(logVerbosity.NONE);

const protoset = new URL('../../../pkg/api/descriptors.binpb', import.meta.url);

/** The gRPC side of the service: the contract's services, health and reflection. */
export class GrpcServer {
  readonly #server: Server;
  readonly #health = HealthState();
  readonly #names: readonly string[];
  readonly #options: GrpcServerOptions;

  constructor({ services, interceptor }: Deps, options: GrpcServerOptions) {
    this.#options = options;
    this.#names = [...services.map(({ definition }) => definition.fullName), 'grpc.health.v1.Health'];
    this.setServing(false);
    this.#server = createServer({
      'grpc.max_receive_message_length': options.maxFrameBytes,
      'grpc.keepalive_time_ms': options.keepaliveMs,
      'grpc.keepalive_timeout_ms': options.keepaliveMs / 2,
    });
    // Health and reflection must answer whoever asks: the interceptors are for the contract only.
    this.#server.add(HealthDefinition, HealthServiceImpl(this.#health));
    this.#server.add(ServerReflectionService, ServerReflection(readFileSync(protoset), [...this.#names]));
    const intercepted = this.#server.with(toMiddleware(interceptor, clientAddressVia(options.trustedProxies)));
    for (const { definition, handlers } of services) intercepted.add(decodeStrictly(definition), handlers);
  }

  /** Returns the port. Throws an error with a clear message if the address cannot be had. */
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

  /** What grpc.health.v1 tells, of the server as a whole and of each service. */
  setServing(serving: boolean): void {
    for (const service of ['', ...this.#names]) this.#health.setStatus(serving ? 'healthy' : 'unhealthy', service);
  }

  /** The same of something that the service can do without. */
  setHealth(name: string, healthy: boolean): void {
    this.#health.setStatus(healthy ? 'healthy' : 'unhealthy', name);
  }

  /** Stops taking calls; after `graceMs` cuts off those that are left. */
  async stop(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#server.forceShutdown(), graceMs);
    try {
      await this.#server.shutdown();
    } finally {
      clearTimeout(timer);
    }
  }
}
