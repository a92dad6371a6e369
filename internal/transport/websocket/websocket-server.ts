import type { IncomingMessage, Server } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type Server as SocketServer, type WebSocket, WebSocketServer as WsServer } from 'ws';
import { MessageJson } from '../../../pkg/transcoder/message-json.ts';
import { grpcCodes, httpStatusOf } from '../../converter/status.ts';
import type { ErrorCode } from '../../model/errors.ts';
import { clientAddressVia } from '../shared/calls/client-address.ts';
import type { LiveStreams } from '../shared/streams/live-streams.ts';
import { closes } from './close-code.ts';
import { Connection, type ConnectionOptions, ConnectionSocket } from './connection.ts';
import { CpuBudget, type TurnBudgetOptions } from './cpu-budget.ts';
import { type FrameCodec, jsonCodec, protobufCodec, WebSocketForms } from './frame-codec.ts';
import { authorizationOf, chooseProtocol, isAllowedOrigin, keptHeaders, offeredBy, protocols } from './handshake.ts';

export interface WebSocketOptions extends ConnectionOptions {
  maxFrameBytes: number;
  maxCommandsPerFrame: number;
  /** What handshakes may take of the time, and how many of them may wait; beyond that they are refused. */
  handshakes: TurnBudgetOptions;
  /** Whether clients that offer permessage-deflate get it. It costs some 300 KiB of memory for each. */
  compression: boolean;
  /** How long a socket may be silent before it is asked whether it lives, in milliseconds; after as long again it is cut off. */
  keepaliveMs: number;
  trustedProxies: readonly string[];
  corsOrigins: readonly string[];
  publicUrl: string;
}

interface Deps {
  streams: LiveStreams;
  /** The contract's encoded google.protobuf.FileDescriptorSet. */
  descriptors: Uint8Array;
  log: Logger;
}

const path = '/v1/connect';

/** ConnectChat over WebSocket, at `/v1/connect` of an HTTP server. */
export class WebSocketServer {
  readonly #deps: Deps;
  readonly #options: WebSocketOptions;
  readonly #server: SocketServer<typeof ConnectionSocket>;
  readonly #codecs: Record<string, { codec: FrameCodec; frames: WebSocketForms }>;
  readonly #clientAddress: ReturnType<typeof clientAddressVia>;
  readonly #keepalive: NodeJS.Timeout;
  /** Those that have not been heard since they were asked. */
  readonly #asked = new WeakSet<WebSocket>();
  // The same for all sockets: they would keep what stands around them for as long as the socket is open.
  readonly #broke: (error: Error) => void;
  readonly #heard: (this: WebSocket) => void;
  readonly #handshakes: CpuBudget;
  #stopping = false;

  constructor(deps: Deps, options: WebSocketOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#clientAddress = clientAddressVia(options.trustedProxies);
    this.#handshakes = new CpuBudget(options.handshakes);
    const limits = { maxCommands: options.maxCommandsPerFrame };
    const command = new MessageJson(deps.descriptors, 'chat.v1.Command');
    const response = new MessageJson(deps.descriptors, 'chat.v1.ConnectChatResponse');
    const json = jsonCodec({ command, response }, limits);
    const protobuf = protobufCodec(limits);
    this.#codecs = {
      [protocols.json]: { codec: json, frames: new WebSocketForms(json) },
      [protocols.protobuf]: { codec: protobuf, frames: new WebSocketForms(protobuf) },
    };
    this.#server = new WsServer({
      noServer: true,
      WebSocket: ConnectionSocket,
      maxPayload: options.maxFrameBytes,
      perMessageDeflate: options.compression && { threshold: 1_024, serverNoContextTakeover: true },
      handleProtocols: chooseProtocol,
      // Newer than its types.
      ...{ closeTimeout: options.closeTimeoutMs },
    });
    this.#broke = (err) => deps.log.debug({ err }, 'a connection broke');
    const asked = this.#asked;
    this.#heard = function heard() {
      asked.delete(this);
    };
    this.#keepalive = setInterval(() => this.#askAll(), options.keepaliveMs);
  }

  /** Open sockets. */
  get size(): number {
    return this.#server.clients.size;
  }

  /** Takes the server's upgrades. */
  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, duplex: Duplex, head: Buffer) => {
      duplex.on('error', this.#broke);
      const refusal = this.#refusalOf(request);
      if (refusal) return refuse(duplex, refusal);
      const open = () => {
        duplex.off('end', leave).off('close', leave);
        if (this.#stopping) return duplex.destroy();
        this.#server.handleUpgrade(request, duplex, head, (socket) => this.#open(socket, duplex, request));
      };
      const leave = () => {
        this.#handshakes.cancel(open);
        duplex.destroy();
      };
      duplex.once('end', leave).once('close', leave);
      if (!this.#handshakes.run(open)) refuse(duplex, tooMany());
    });
  }

  /** Takes no more sockets, closes in good order those that are left, and cuts off those that do not answer within `closeTimeoutMs`. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#keepalive);
    const left = [...this.#server.clients];
    const closed = left.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    const { code, reason } = closes.draining;
    for (const socket of left) socket.close(code, reason);
    const timer = setTimeout(() => {
      for (const socket of left) socket.terminate();
    }, this.#options.closeTimeoutMs);
    await Promise.all(closed);
    clearTimeout(timer);
    this.#server.close();
  }

  #refusalOf(request: IncomingMessage): Refusal | undefined {
    if (this.#stopping) return { code: 'UNAVAILABLE', message: 'the service is being stopped' };
    const target = URL.parse(request.url ?? '/', 'http://localhost');
    if (target?.pathname !== path) return { code: 'NOT_FOUND', message: 'Not Found' };
    const { publicUrl, corsOrigins } = this.#options;
    if (!isAllowedOrigin(request, publicUrl, corsOrigins)) {
      return { code: 'PERMISSION_DENIED', message: 'the origin is not allowed: set CORS_ORIGINS' };
    }
    const offered = offeredBy(request.headers['sec-websocket-protocol']);
    if (offered.length > 0 && chooseProtocol(offered) === false) {
      const known = Object.values(protocols).join(' and ');
      return { code: 'INVALID_ARGUMENT', message: `none of the sub-protocols is known: there are ${known}` };
    }
    return undefined;
  }

  #open(socket: ConnectionSocket, duplex: Duplex, request: IncomingMessage): void {
    const { streams, log } = this.#deps;
    const { headers, socket: connection } = request;
    const { remoteAddress = '', remotePort } = connection;
    // Notices that a client is gone also while it is not read from.
    connection.setKeepAlive(true, this.#options.keepaliveMs);
    const peer = `${remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`;
    const forwardedFor = headers['x-forwarded-for'];
    const codec = this.#codecs[socket.protocol] ?? this.#codecs[protocols.json]!;
    socket.on('pong', this.#heard);
    socket.on('message', this.#heard);
    const opened = new Connection(socket, { ...codec, duplex, streams, log }, this.#options);
    void opened.run({
      headers: keptHeaders(request),
      authorization: authorizationOf(request),
      peer: this.#clientAddress(peer, forwardedFor?.toString()),
    });
  }

  #askAll(): void {
    for (const socket of this.#server.clients) {
      // Nothing that it says is read meanwhile.
      if (socket.isPaused) {
        this.#asked.delete(socket);
        continue;
      }
      if (this.#asked.has(socket)) {
        socket.terminate();
        continue;
      }
      this.#asked.add(socket);
      socket.ping();
    }
  }
}

interface Refusal {
  code: ErrorCode;
  message: string;
  /** In seconds. */
  retryAfter?: number;
}

/** Each is told a time of its own. */
function tooMany(): Refusal {
  const retryAfter = Math.ceil(1 + Math.random() * 4);
  return { code: 'UNAVAILABLE', message: 'too many are connecting at the moment', retryAfter };
}

/** As an error of REST. */
function refuse(duplex: Duplex, { code, message, retryAfter }: Refusal): void {
  const body = JSON.stringify({ code: grpcCodes[code], message, details: [] });
  const status = httpStatusOf(grpcCodes[code]);
  const retry = retryAfter === undefined ? '' : `Retry-After: ${retryAfter}\r\n`;
  duplex.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${retry}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
