import {
  type CallOptions,
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';

/** A gRPC client that sends and receives bytes without encoding or checking them. Closed when the test ends. */
export class RawClient {
  readonly #client: Client;

  constructor(address: string, options: object = {}) {
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
      ...options,
    });
    onTestFinished(() => this.#client.close());
  }

  /** Opens a ConnectChat stream. */
  connect(token: string, metadata: Metadata = headers(token)): ClientDuplexStream<Uint8Array, Buffer> {
    return this.stream('/chat.v1.ChatService/ConnectChat', metadata);
  }

  /** Opens a bidirectional stream of any method. */
  stream(path: string, metadata: Metadata = new Metadata()): ClientDuplexStream<Uint8Array, Buffer> {
    const call = this.#client.makeBidiStreamRequest(path, toBuffer, (bytes) => bytes, metadata);
    // Without a listener, an error would end the process. Tests listen for `status` instead.
    call.on('error', () => {});
    return call;
  }

  /** Makes a unary call. The result's `metadata` is that of the response. Rejects with a ServiceError. */
  call(
    path: string,
    request: Uint8Array,
    metadata: Metadata = new Metadata(),
    options: CallOptions = {},
    onMetadata: (metadata: Metadata) => void = () => {},
  ) {
    return new Promise<{ response: Buffer; metadata: Metadata }>((resolve, reject) => {
      let received = new Metadata();
      const done = (error: ServiceError | null, response?: Buffer) =>
        error ? reject(error) : resolve({ response: response!, metadata: received });
      this.#client
        .makeUnaryRequest(path, toBuffer, (bytes) => bytes, request, metadata, options, done)
        .on('metadata', (initial: Metadata) => {
          received = initial;
          onMetadata(initial);
        });
    });
  }
}

export function headers(token: string): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}
