import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { WebSocket } from 'ws';
import { type Command, type JoinRoomResponse, SendMessageRequest } from '../../pkg/api/chat/v1/chat.ts';
import { countFrame, RawClient, toFrame } from './raw-client.ts';
import type { ServiceProcess } from './service-process.ts';

/** A transport to a chat and its readers. */
export interface FanOutWire {
  /** Opens the readers; resolves when all are live. Calls `onMessages` with the number of messages in each frame. */
  open(readers: number, onMessages: (count: number) => void): Promise<void>;
  /** Sends a burst of `count` messages. */
  send(count: number): void;
  close(): void;
}

export const text = 'To everyone in the room: hello!';

/** gRPC streams: fifty on a connection, or each on a connection of its own. */
export function grpcWire(service: ServiceProcess, streamsPerConnection = 50): FanOutWire {
  const clients: RawClient[] = [];
  let writer: Writer | undefined;
  return {
    async open(readers, onMessages) {
      writer = await Writer.open(service);
      const { chatId, token } = writer;
      let live = 0;
      for (let i = 0; i < readers; i += 1) {
        if (i % streamsPerConnection === 0) {
          const client = new RawClient(service.address);
          client.useToken(token);
          clients.push(client);
        }
        const stream = clients.at(-1)!.connect();
        stream.on('error', () => {});
        stream.on('data', (frame: Buffer) => {
          const { messages, caughtUp } = countFrame(frame);
          live += caughtUp;
          if (messages > 0) onMessages(messages);
        });
        stream.write(subscription(chatId));
      }
      await until(() => live === readers);
    },
    send: (count) => writer?.send(count),
    close() {
      writer?.close();
      for (const client of clients) client.close();
    },
  };
}

/** WebSockets with frames of protobuf or JSON. */
export function webSocketWire(service: ServiceProcess, encoding: 'proto' | 'json'): FanOutWire {
  const sockets: WebSocket[] = [];
  let writer: Writer | undefined;
  return {
    async open(readers, onMessages) {
      writer = await Writer.open(service);
      const { chatId, token } = writer;
      let live = 0;
      const count = encoding === 'proto' ? countFrame : countJson;
      for (let i = 0; i < readers; i += 1) {
        const socket = new WebSocket(`${service.url.replace('http', 'ws')}/v1/connect`, `chat.v1.${encoding}`, {
          headers: { authorization: `Bearer ${token}` },
          perMessageDeflate: false,
        });
        socket.on('message', (frame: Buffer) => {
          const { messages, caughtUp } = count(frame);
          live += caughtUp;
          if (messages > 0) onMessages(messages);
        });
        socket.on('open', () =>
          socket.send(
            encoding === 'proto'
              ? subscription(chatId)
              : JSON.stringify({ commands: [{ commandId: '', subscribe: { chatId } }] }),
          ),
        );
        sockets.push(socket);
        // Limits how many handshakes run at the same time.
        if (i % 50 === 49) await until(() => live >= i - 50);
      }
      await until(() => live === readers);
    },
    send: (count) => writer?.send(count),
    close() {
      writer?.close();
      for (const socket of sockets) socket.terminate();
    },
  };
}

/** Sends to a room over gRPC, whichever transport its readers use. */
class Writer {
  readonly chatId: string;
  readonly token: string;
  readonly #client: RawClient;
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;

  private constructor(client: RawClient, chatId: string, token: string) {
    this.chatId = chatId;
    this.token = token;
    this.#client = client;
    this.#stream = client.connect();
    this.#stream.on('error', () => {});
    this.#stream.on('data', () => {});
  }

  static async open({ address }: ServiceProcess): Promise<Writer> {
    const client = new RawClient(address);
    const token = await client.signIn('fan-out');
    const { chat } = await client.call<JoinRoomResponse>('joinRoom', { name: 'fan-out' });
    return new Writer(client, chat!.id, token);
  }

  send(count: number): void {
    const commands = Array.from({ length: count }, (): Command => {
      const value = SendMessageRequest.fromPartial({ chatId: this.chatId, clientMessageId: randomUUID(), text });
      return { commandId: '', command: { $case: 'sendMessage', value } };
    });
    this.#stream.write(toFrame(commands));
  }

  close(): void {
    this.#client.close();
  }
}

function subscription(chatId: string): Buffer {
  return toFrame([{ commandId: '', command: { $case: 'subscribe', value: { chatId } } }]);
}

function countJson(frame: Buffer): { messages: number; caughtUp: number } {
  const text = frame.toString('latin1');
  return { messages: text.split('{"message":').length - 1, caughtUp: text.includes('{"caughtUp":') ? 1 : 0 };
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}
