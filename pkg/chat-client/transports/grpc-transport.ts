import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { ChannelCredentials, type ChannelOptions, createChannel, createClientFactory, Metadata } from 'nice-grpc';
import { ClientError, type ClientMiddleware, Status as GrpcStatus } from 'nice-grpc-common';
import { AuthServiceDefinition } from '../../api/auth/v1/auth.ts';
import { ChatServiceDefinition, type Command, type ConnectChatResponse, type Event } from '../../api/chat/v1/chat.ts';
import { Status } from '../../api/google/rpc/status.ts';
import { ChatClientError } from '../errors/chat-error.ts';
import { errorFromStatus } from '../errors/status.ts';
import { CommandQueue } from './command-queue.ts';
import type { AuthCalls, ChatCalls, Stream, Transport } from './transport.ts';

/** Deadline of a unary call in milliseconds. */
const callTimeoutMs = 10_000;

const channelOptions: ChannelOptions = {
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
  'grpc.max_receive_message_length': 64 * 1_024 * 1_024,
};

/** Certificates and keys in PEM. */
export interface TlsOptions {
  /** The authorities to trust instead of the system's. */
  ca?: Buffer | string;
  /** The client's certificate, if the service requires one (mutual TLS). */
  cert?: Buffer | string;
  /** The private key of `cert`. */
  key?: Buffer | string;
}

export interface GrpcTransportOptions {
  /** True: TLS with the system's authorities. By default the connection is plain text. */
  tls?: boolean | TlsOptions;
  /** Channel options of grpc-js. They override the transport's own. */
  channelOptions?: ChannelOptions;
}

/**
 * Creates a transport that uses gRPC for streams and unary calls. It requires Node. `address` is `host:port`. A unary call that takes longer
 * than 10 seconds fails with DEADLINE_EXCEEDED. The service allows a number of open streams on a connection, 256 by default, and further ones wait:
 * a program with more creates several transports, with the channel option `grpc.use_local_subchannel_pool`. Throws if `cert` and `key` do not match.
 *
 * @example
 * const transport = grpcTransport('chat.example.com:50051', { tls: true });
 */
export function grpcTransport(address: string, options: GrpcTransportOptions = {}): Transport {
  const { tls = false } = options;
  const host = address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  const channel = createChannel(
    address,
    tls === false ? ChannelCredentials.createInsecure() : toCredentials(tls, host),
    {
      ...channelOptions,
      ...(tls !== false && isIP(host) > 0 && { 'grpc.ssl_target_name_override': noName }),
      ...options.channelOptions,
    },
  );
  const clients = createClientFactory().use(errorDetails);
  const chat = clients.create(ChatServiceDefinition, channel);
  const auth = clients.create(AuthServiceDefinition, channel);
  return {
    chat: toCalls<ChatCalls>(chat, Object.keys(ChatServiceDefinition.methods)),
    auth: toCalls<AuthCalls>(auth, Object.keys(AuthServiceDefinition.methods)),
    connect(token, signal): Stream {
      const queue = new CommandQueue(signal);
      const responses = chat.connectChat(queue.frames(), { metadata: bearer(token), signal });
      return { send: (command: Command) => queue.push(command), frames: toFrames(responses, queue) };
    },
    close: () => channel.close(),
  };
}

/** The server name (SNI) to send for a server that is given by IP address; SNI must not hold an IP address. Source: RFC 6066, section 3 */
const noName = 'localhost';

function toCredentials(tls: true | TlsOptions, host: string): ChannelCredentials {
  const { ca, cert, key }: TlsOptions = tls === true ? {} : tls;
  const toBuffer = (pem: Buffer | string | undefined) => (pem === undefined ? null : Buffer.from(pem as string));
  return ChannelCredentials.createSsl(toBuffer(ca), toBuffer(key), toBuffer(cert), {
    // Checks the certificate against the given host, not against the name sent as SNI.
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
  });
}

async function* toFrames(
  responses: AsyncIterable<ConnectChatResponse>,
  queue: CommandQueue,
): AsyncGenerator<readonly Event[]> {
  for await (const { events } of responses) {
    for (const { event } of events) if (event?.$case === 'welcome') queue.obey(event.value.limits);
    yield events;
  }
}

function bearer(token: string | undefined): Metadata | undefined {
  return token === undefined ? undefined : Metadata({ authorization: `Bearer ${token}` });
}

type AnyCall = (request: object, options: object) => Promise<unknown>;

function toCalls<Calls>(client: object, methods: readonly string[]): Calls {
  const calls = methods.map((method) => {
    const call = (request: object, { token, signal }: { token?: string; signal?: AbortSignal }) => {
      const deadline = AbortSignal.timeout(callTimeoutMs);
      return (client as Record<string, AnyCall>)[method]!(request, {
        metadata: bearer(token),
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      });
    };
    return [method, call];
  });
  return Object.fromEntries(calls) as Calls;
}

/** Turns every error into a ChatClientError, with the details from the trailer. */
const errorDetails: ClientMiddleware = async function* errorDetailsMiddleware(call, options) {
  let details: Uint8Array | undefined;
  const onTrailer = options.onTrailer;
  try {
    return yield* call.next(call.request as never, {
      ...options,
      onTrailer(trailer) {
        const value = trailer.get('grpc-status-details-bin');
        if (value instanceof Uint8Array) details = value;
        onTrailer?.(trailer);
      },
    });
  } catch (error) {
    throw toChatClientError(error, details);
  }
};

function toChatClientError(error: unknown, details: Uint8Array | undefined): ChatClientError {
  if (error instanceof ClientError) {
    if (details) return errorFromStatus(Status.decode(details), error);
    return new ChatClientError(error.details, { code: GrpcStatus[error.code], cause: error });
  }
  const { name, message } = error as Error;
  const code = name === 'TimeoutError' ? 'DEADLINE_EXCEEDED' : name === 'AbortError' ? 'CANCELLED' : 'UNKNOWN';
  return new ChatClientError(message, { code, cause: error });
}
