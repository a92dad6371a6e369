import { readFileSync } from 'node:fs';
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { createServer, type Server } from 'nice-grpc';
import { HealthDefinition, HealthServiceImpl, HealthState } from 'nice-grpc-server-health';
import { ServerReflection, ServerReflectionService } from 'nice-grpc-server-reflection';
import { AuthServiceDefinition } from '../../../pkg/api/auth/v1/auth.ts';
import type { Validate } from '../../../pkg/proto-rules/compile-rules.ts';
import type { Interceptor } from '../../interceptor/call.ts';
import type { AuthService } from '../../service/auth-service.ts';
import type { ChatService } from '../../service/chat-service.ts';
import type { SessionRegistry } from '../../service/session-registry.ts';
import { createAuthHandlers } from './auth-handlers.ts';
import { createChatHandlers } from './chat-handlers.ts';
import { chatServiceDefinition, createConnectChat } from './connect-chat.ts';
import { decodeStrictly } from './decoding.ts';
import { toMiddleware } from './middleware.ts';

export interface GrpcServerOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  maxFrameBytes: number;
  maxCommandsPerFrame: number;
  maxPageSize: number;
  /** How long a connection may be silent before it is asked whether it lives, in milliseconds. */
  keepaliveMs: number;
}

interface Deps {
  chats: ChatService;
  auth: AuthService;
  sessions: SessionRegistry;
  validateCommand: Validate;
  interceptor: Interceptor;
}

// The library prints what it throws as well.
if (!process.env.GRPC_VERBOSITY) setLogVerbosity(logVerbosity.NONE);

const protoset = new URL('../../../pkg/api/descriptors.binpb', import.meta.url);
const services = ['chat.v1.ChatService', 'auth.v1.AuthService', 'grpc.health.v1.Health'];

/** The gRPC side of the service: the contract, health and reflection. */
export class GrpcServer {
  readonly #server: Server;
  readonly #health = HealthState();
  readonly #options: GrpcServerOptions;

  constructor({ chats, auth, sessions, validateCommand, interceptor }: Deps, options: GrpcServerOptions) {
    this.#options = options;
    this.setServing(false);
    this.#server = createServer({
      'grpc.max_receive_message_length': options.maxFrameBytes,
      'grpc.keepalive_time_ms': options.keepaliveMs,
      'grpc.keepalive_timeout_ms': options.keepaliveMs / 2,
    });
    // Health and reflection must answer whoever asks: the interceptors are for the contract only.
    this.#server.add(HealthDefinition, HealthServiceImpl(this.#health));
    this.#server.add(ServerReflectionService, ServerReflection(readFileSync(protoset), services));
    const intercepted = this.#server.with(toMiddleware(interceptor));
    intercepted.add(decodeStrictly(AuthServiceDefinition), createAuthHandlers(auth));
    intercepted.add(decodeStrictly(chatServiceDefinition), {
      ...createChatHandlers(chats, options),
      ...createConnectChat({ sessions, validateCommand }, options),
    });
  }

  /** Returns the port. Throws an error with a clear message if the address cannot be had. */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    try {
      return await this.#server.listen(address);
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
    for (const service of ['', ...services]) this.#health.setStatus(serving ? 'healthy' : 'unhealthy', service);
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
