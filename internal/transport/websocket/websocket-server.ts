import type { IncomingMessage, Server } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type Server as SocketServer, type WebSocket, WebSocketServer as WsServer } from 'ws';
import { MessageJson } from '../../../pkg/transcoder/message-json.ts';
import { grpcCodes, httpStatusOf } from '../../converter/status.ts';
import type { ErrorCode } from '../../model/errors.ts';
import { clientAddressVia } from '../shared/calls/client-address.ts';
import { beginRequest, finishRequest, type RequestTracing } from '../shared/http/request-spans.ts';
import type { LiveStreams } from '../shared/streams/live-streams.ts';
import { closes } from './close-code.ts';
import { Connection, type ConnectionOptions, ConnectionSocket } from './connection.ts';
import { CpuBudget, type CpuBudgetOptions } from './cpu-budget.ts';
import { type FrameCodec, jsonCodec, protobufCodec, WebSocketForms } from './frame-codec.ts';
import { authorizationOf, chooseProtocol, isAllowedOrigin, keptHeaders, offeredBy, protocols } from './handshake.ts';

export interface WebSocketOptions extends ConnectionOptions {
  maxFrameBytes: number;
  maxCommandsPerFrame: number;
  /** Limits the CPU time that handshakes take. A handshake that finds `maxWaiting` others waiting is refused with 503. */
  handshakes: CpuBudgetOptions;
  /** Whether to accept permessage-deflate when a client offers it. It costs about 300 KiB of memory per socket. */
  compression: boolean;
  /** The interval of pings, in milliseconds. A socket that has not answered a ping by the next one is terminated. */
  keepaliveMs: number;
  /** Proxies whose X-Forwarded-For is believed. */
  trustedProxies: readonly string[];
  /** Origins whose pages may connect; `*`: any. */
  corsOrigins: readonly string[];
  /** The address at which clients reach the service. Pages of its origin may connect. */
  publicUrl: string;
}

interface Deps {
  streams: LiveStreams;
  /** The contract's encoded google.protobuf.FileDescriptorSet. */
  descriptors: Uint8Array;
  /** Absent: sockets have no spans. */
  tracing?: RequestTracing | undefined;
  log: Logger;
}

const path = '/v1/connect';

/** Serves ConnectChat over WebSocket, at `/v1/connect` of an HTTP server. */
export class WebSocketServer {
  readonly #deps: Deps;
  readonly #options: WebSocketOptions;
  readonly #server: SocketServer<typeof ConnectionSocket>;
  readonly #codecs: Record<string, { codec: FrameCodec; frames: WebSocketForms }>;
  readonly #clientAddress: ReturnType<typeof clientAddressVia>;
  readonly #keepalive: NodeJS.Timeout;
  /** Sockets that were pinged and have sent nothing since. */
  readonly #asked = new WeakSet<WebSocket>();
  // All sockets share these listeners: a closure per socket would hold its scope in memory while the socket is open.
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
      // @types/ws does not know this option yet.
      ...{ closeTimeout: options.closeTimeoutMs },
    });
    this.#broke = (err) => deps.log.debug({ err }, 'a connection broke');
    const asked = this.#asked;
    this.#heard = function heard() {
      asked.delete(this);
    };
    this.#keepalive = setInterval(() => this.#askAll(), options.keepaliveMs);
  }

  /** The number of open sockets. */
  get size(): number {
    return this.#server.clients.size;
  }

  /** Handles the server's upgrade requests. */
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

  /** Refuses new sockets, closes the open ones with 1012, and terminates those that do not answer within `closeTimeoutMs`. */
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
      const known = Object.values(protocols).join(' or ');
      return { code: 'INVALID_ARGUMENT', message: `no offered sub-protocol is known: use ${known}` };
    }
    return undefined;
  }

  #open(socket: ConnectionSocket, duplex: Duplex, request: IncomingMessage): void {
    const { streams, tracing, log } = this.#deps;
    const { headers, socket: connection } = request;
    const span = tracing && beginRequest(tracing, 'GET', headers);
    const { remoteAddress = '', remotePort } = connection;
    // TCP keep-alive detects a dead client even while its socket is paused, when pongs are not read.
    connection.setKeepAlive(true, this.#options.keepaliveMs);
    const peer = `${remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`;
    const forwardedFor = headers['x-forwarded-for'];
    const codec = this.#codecs[socket.protocol] ?? this.#codecs[protocols.json]!;
    socket.on('pong', this.#heard);
    socket.on('message', this.#heard);
    const opened = new Connection(socket, { ...codec, duplex, streams, log }, this.#options);
    const client = this.#clientAddress(peer, forwardedFor?.toString());
    const ended = opened.run({ headers: keptHeaders(request), authorization: authorizationOf(request), peer: client });
    // A closure for each socket would hold memory, so only recorded ones have it.
    if (span) void ended.then(() => finishRequest(span, { method: 'GET', route: path, status: 101, client }));
  }

  #askAll(): void {
    for (const socket of this.#server.clients) {
      // A paused socket cannot answer: its pong would not be read.
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
  /** Seconds after which the client may try again. */
  retryAfter?: number;
}

/** Refuses for lack of CPU time. The retry time is random, so that refused clients do not return all at once. */
function tooMany(): Refusal {
  const retryAfter = Math.ceil(1 + Math.random() * 4);
  return { code: 'UNAVAILABLE', message: 'too many clients are connecting at the moment', retryAfter };
}

/** Answers an upgrade request with an error in the form of the REST API, and ends the connection. */
function refuse(duplex: Duplex, { code, message, retryAfter }: Refusal): void {
  const body = JSON.stringify({ code: grpcCodes[code], message, details: [] });
  const status = httpStatusOf(grpcCodes[code]);
  const retry = retryAfter === undefined ? '' : `Retry-After: ${retryAfter}\r\n`;
  duplex.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${retry}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
