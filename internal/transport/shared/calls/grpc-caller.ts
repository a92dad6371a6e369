import { once } from 'node:events';
import { type ChannelCredentials, Client, connectivityState, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { CallFailure } from './call-failure.ts';
import { ClientPool } from './client-pool.ts';
import type { CallOptions, CallResult, UnaryCaller } from './unary-caller.ts';

export interface GrpcCallerOptions {
  /** `host:port` of each service. A single one may be a DNS name, which may resolve to several addresses; several must be IP addresses. */
  addresses: readonly string[];
  credentials: ChannelCredentials;
  /** The name in the services' TLS certificates, if it differs from the address. */
  serverName?: string | undefined;
  maxMessageBytes: number;
  log: Logger;
}

const roundRobin = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] });
/** The longest deadline of a call, in milliseconds. Services answer sooner; without a deadline, a lost call would never end. */
const longestMs = 60_000;
const identity = (bytes: Buffer) => bytes;

/** Calls services in other processes over gRPC. Calls go in turn to the services that are reachable. */
export class GrpcCaller implements UnaryCaller {
  readonly #clients: ClientPool;
  readonly #log: Logger;

  constructor({ addresses, credentials, serverName, maxMessageBytes, log }: GrpcCallerOptions) {
    this.#log = log;
    const options = {
      'grpc.service_config': roundRobin,
      'grpc.service_config_disable_resolution': 1,
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2_000,
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 10_000,
      'grpc.use_local_subchannel_pool': 1,
      ...(serverName !== undefined && { 'grpc.ssl_target_name_override': serverName }),
    };
    this.#clients = new ClientPool(() => new Client(toTarget(addresses), credentials, options));
    // `true` connects now, so that `ready` is right before the first call.
    this.#clients.first.getChannel().getConnectivityState(true);
  }

  get ready(): boolean {
    return this.#clients.first.getChannel().getConnectivityState(true) === connectivityState.READY;
  }

  call(rpc: string, request: Uint8Array, options: CallOptions): Promise<CallResult> {
    const { signal, timeoutMs } = options;
    return new Promise((resolve, reject) => {
      const header = new Map<string, string>();
      const cancel = () => call.cancel();
      const { client, release } = this.#clients.acquire();
      const call = client.makeUnaryRequest(
        rpc,
        identity,
        identity,
        Buffer.from(request.buffer, request.byteOffset, request.byteLength),
        toMetadata(options),
        { deadline: Date.now() + Math.min(timeoutMs ?? longestMs, longestMs) },
        (error, response) => {
          release();
          signal.removeEventListener('abort', cancel);
          if (error) reject(this.#toFailure(error, header));
          else resolve({ response: response ?? Buffer.alloc(0), metadata: header });
        },
      );
      call.on('metadata', (metadata) => {
        for (const [name, value] of Object.entries(metadata.getMap())) {
          if (typeof value === 'string') header.set(name, value);
        }
      });
      signal.addEventListener('abort', cancel, { once: true });
      if (signal.aborted) cancel();
    });
  }

  /** Opens a stream, which ends when the signal aborts. If it fails, the iteration of `frames` throws CallFailure. */
  openStream(
    rpc: string,
    options: Omit<CallOptions, 'timeoutMs'>,
  ): { frames: AsyncIterable<Uint8Array>; send(frame: Uint8Array): Promise<void>; halfClose(): void } {
    const { signal } = options;
    const { client, release } = this.#clients.acquire();
    const call = client.makeBidiStreamRequest(rpc, identity, identity, toMetadata(options));
    call.once('status', release);
    const cancel = () => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    // The iteration of `frames` throws the error; without a listener here it would end the process.
    call.on('error', () => {});
    const toFailure = (error: unknown) => this.#toFailure(error as ServiceError, new Map());
    async function* frames() {
      try {
        yield* call as AsyncIterable<Uint8Array>;
      } catch (error) {
        throw toFailure(error);
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    }
    return {
      frames: frames(),
      send: async (frame) => {
        if (!call.write(Buffer.from(frame))) await once(call, 'drain', { signal });
      },
      halfClose: () => call.end(),
    };
  }

  close(): void {
    this.#clients.close();
  }

  #toFailure(error: ServiceError, header: ReadonlyMap<string, string>): CallFailure {
    const [details] = error.metadata?.get('grpc-status-details-bin') ?? [];
    if (!(details instanceof Uint8Array)) return this.#toOwnFailure(error, header);
    // A call that fails before its first response has its metadata in the trailers.
    const metadata = new Map(header);
    for (const [name, value] of Object.entries(error.metadata.getMap())) {
      if (typeof value === 'string') metadata.set(name, value);
    }
    return new CallFailure(error.code, error.details, { details, metadata });
  }

  /** Converts an error without details. Only the connection causes one; its message names addresses, so it is logged and not sent. */
  #toOwnFailure(error: ServiceError, metadata: ReadonlyMap<string, string>): CallFailure {
    this.#log.debug({ err: error }, 'a call did not reach a service');
    switch (error.code) {
      case status.CANCELLED:
        return new CallFailure(error.code, 'the call was cancelled', { metadata });
      case status.DEADLINE_EXCEEDED:
        return new CallFailure(error.code, 'the service did not answer in time', { metadata });
      case status.RESOURCE_EXHAUSTED:
        return new CallFailure(error.code, 'the request or its response is too long', { metadata });
      default:
        return new CallFailure(status.UNAVAILABLE, 'no service can be reached at the moment', { metadata });
    }
  }
}

function toTarget(addresses: readonly string[]): string {
  const [first = ''] = addresses;
  if (addresses.length === 1 && !/^(\d+\.){3}\d+:|^\[/.test(first)) return `dns:///${first}`;
  return `${first.startsWith('[') ? 'ipv6' : 'ipv4'}:${addresses.join(',')}`;
}

function toMetadata({ metadata, peer }: Pick<CallOptions, 'metadata' | 'peer'>): Metadata {
  const sent = new Metadata();
  for (const [name, value] of metadata) sent.set(name, typeof value === 'string' ? value : Buffer.from(value));
  sent.set('x-forwarded-for', peer.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'));
  return sent;
}
