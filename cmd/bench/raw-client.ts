import { Client, type ClientDuplexStream, credentials, Metadata } from '@grpc/grpc-js';
import { AuthServiceDefinition, type GuestResponse } from '../../pkg/api/auth/v1/auth.ts';
import { ChatServiceDefinition, type Command, ConnectChatRequest } from '../../pkg/api/chat/v1/chat.ts';

/** The contents of a frame of events, counted without decoding it. */
export interface FrameCounts {
  /** All of them, whatever they are. */
  events: number;
  accepted: number;
  rejected: number;
  messages: number;
  changed: number;
  caughtUp: number;
}

/**
 * A client that uses little CPU, because it shares the processors with the service that is measured. It receives frames as bytes and reads
 * only the first tag of each event.
 */
export class RawClient {
  readonly #client: Client;
  readonly #metadata = new Metadata();

  constructor(address: string) {
    // One connection for each client, not one for the whole process.
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
    });
  }

  /** Signs in as a guest; returns the access token. */
  async signIn(name: string): Promise<string> {
    const { accessToken } = await this.#unary<GuestResponse>(
      '/auth.v1.AuthService/Guest',
      AuthServiceDefinition.methods.guest,
      { name },
    );
    this.useToken(accessToken);
    return accessToken;
  }

  useToken(token: string): void {
    this.#metadata.set('authorization', `Bearer ${token}`);
  }

  /** Calls a method of ChatService. */
  call<Response>(method: keyof typeof ChatServiceDefinition.methods, request: object): Promise<Response> {
    const definition = ChatServiceDefinition.methods[method];
    return this.#unary(`/chat.v1.ChatService/${definition.name}`, definition, request);
  }

  connect(headers: Record<string, string> = {}): ClientDuplexStream<Buffer, Buffer> {
    const asIs = (bytes: Buffer) => bytes;
    const metadata = this.#metadata.clone();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    return this.#client.makeBidiStreamRequest('/chat.v1.ChatService/ConnectChat', asIs, asIs, metadata);
  }

  close(): void {
    this.#client.close();
  }

  #unary<Response>(path: string, { requestType, responseType }: Codec, request: object): Promise<Response> {
    const encode = (value: object) =>
      Buffer.from(requestType.encode(requestType.fromPartial(value as never) as never).finish());
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        encode,
        (bytes: Buffer) => responseType.decode(bytes) as Response,
        request,
        this.#metadata,
        (error, response) => (response ? resolve(response) : reject(error)),
      );
    });
  }
}

interface Codec {
  requestType: { encode(value: never): { finish(): Uint8Array }; fromPartial(value: never): unknown } & object;
  responseType: { decode(bytes: Uint8Array): unknown };
}

export function toFrame(commands: readonly Command[]): Buffer {
  return Buffer.from(ConnectChatRequest.encode({ commands: [...commands] }).finish());
}

/** Field numbers of chat.v1.Event's oneof, as tags of length-delimited fields. */
const acceptedTag = (7 << 3) | 2;
const rejectedTag = (8 << 3) | 2;
const messageTag = (4 << 3) | 2;
const caughtUpTag = (3 << 3) | 2;
const changedTag = (14 << 3) | 2;

export function countFrame(frame: Buffer): FrameCounts {
  const counts = { events: 0, accepted: 0, rejected: 0, messages: 0, changed: 0, caughtUp: 0 };
  for (let at = 0; at < frame.length; ) {
    at += 1; // the tag of field 1: an event
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = frame[at++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    counts.events += 1;
    const tag = frame[at];
    if (tag === acceptedTag) counts.accepted += 1;
    else if (tag === messageTag) counts.messages += 1;
    else if (tag === changedTag) counts.changed += 1;
    else if (tag === rejectedTag) counts.rejected += 1;
    else if (tag === caughtUpTag) counts.caughtUp += 1;
    at += length;
  }
  return counts;
}
