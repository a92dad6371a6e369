import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { jsonCodec, protoCodec } from '../../../pkg/chat-client/transports/frame-codec.ts';
import type { CommandBody, EventBody, EventCase, ValueOf } from './stream-probe.ts';

export interface SocketClientOptions extends ClientOptions {
  /** The access token for the header `authorization`. */
  token?: string;
  /** The offered sub-protocols. If one of them is an encoding, it must be the first. */
  protocols?: string[];
  path?: string;
}

/** A WebSocket client that sends frames unchanged, without the SDK. Closed when the test ends. */
export class SocketClient {
  readonly socket: WebSocket;
  readonly events: EventBody[] = [];
  /** Resolves with code and reason when the socket has closed. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #codec: typeof jsonCodec;
  #lastCommand = 0;

  constructor(url: string, { token, protocols = ['chat.v1.json'], path, ...options }: SocketClientOptions = {}) {
    this.#codec = protocols[0] === 'chat.v1.proto' ? protoCodec : jsonCodec;
    this.socket = open(url, { token, protocols, path, ...options });
    this.socket.on('error', () => {});
    this.socket.on('message', (data: Buffer) => this.#receive(data));
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    onTestFinished(() => this.socket.terminate());
  }

  /** Connects and waits for `welcome`. */
  static async connect(url: string, options: SocketClientOptions): Promise<SocketClient> {
    const client = new SocketClient(url, options);
    await client.nextOf('welcome');
    return client;
  }

  /** Sends the commands in one frame, with the ids `c1`, `c2`, …, and returns the ids. */
  send(...commands: CommandBody[]): string[] {
    const numbered = commands.map((command) => ({ commandId: this.#nextId(), command }));
    this.socket.send(this.#codec.encode(numbered));
    return numbered.map(({ commandId }) => commandId);
  }

  /** Sends a command in a frame of its own. Resolves with the event that answers it. */
  async ask(command: CommandBody): Promise<EventBody> {
    const [commandId] = this.send(command);
    return this.next(({ value }) => 'commandId' in value && value.commandId === commandId);
  }

  /** Resolves with the first event that meets the condition, received before or after the call. */
  async next(condition: (event: EventBody) => boolean): Promise<EventBody> {
    for (;;) {
      const found = this.events.find(condition);
      if (found) return found;
      await this.#change();
    }
  }

  async nextOf<Case extends EventCase>($case: Case): Promise<ValueOf<Case>> {
    return (await this.next((event) => event.$case === $case)).value as ValueOf<Case>;
  }

  /** Resolves when the condition holds. Checks it after each frame. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#change();
  }

  /** The numbers of all messages received so far. */
  get seqs(): number[] {
    return this.events.flatMap((event) => (event.$case === 'message' ? [event.value.seq] : []));
  }

  /** Resolves when the handshake has succeeded. */
  async opened(): Promise<this> {
    if (this.socket.readyState === WebSocket.CONNECTING) await once(this.socket, 'open');
    return this;
  }

  #receive(data: Buffer): void {
    const events = this.#codec.decode(this.#codec === jsonCodec ? data.toString() : data);
    for (const { event } of events) if (event) this.events.push(event);
  }

  async #change(): Promise<void> {
    const ended = await Promise.race([once(this.socket, 'message'), this.closed]);
    if (!Array.isArray(ended)) {
      throw new Error(`closed first with ${JSON.stringify(ended)}, ${this.events.length} events`);
    }
  }

  #nextId(): string {
    this.#lastCommand += 1;
    return `c${this.#lastCommand}`;
  }
}

/** Expects that a handshake is refused, and returns the refusal. */
export async function refusalOf(url: string, options: SocketClientOptions) {
  const socket = open(url, options);
  const opened = once(socket, 'open').then(() => {
    socket.terminate();
    throw new Error('the handshake was not refused');
  });
  const refused = once(socket, 'unexpected-response') as Promise<[unknown, IncomingMessage]>;
  const [, response] = await Promise.race([refused, opened]);
  opened.catch(() => {});
  socket.on('error', () => {});
  return {
    status: response.statusCode,
    type: response.headers['content-type'],
    body: JSON.parse(await text(response)),
  };
}

function open(url: string, { token, protocols = [], path = '/v1/connect', ...options }: SocketClientOptions) {
  const headers = { ...options.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  return new WebSocket(url.replace(/^http/, 'ws') + path, protocols, {
    perMessageDeflate: false,
    ...options,
    headers,
  });
}
