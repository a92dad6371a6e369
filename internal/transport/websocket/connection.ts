import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { WebSocket } from 'ws';
import { ChatError } from '../../model/errors.ts';
import type { Frame } from '../../model/frame.ts';
import { LightAbortController } from '../../model/light-abort.ts';
import { CallFailure, toCallFailure } from '../shared/calls/call-failure.ts';
import type { ReadCommand } from '../shared/streams/command-reader.ts';
import type { LiveStreams } from '../shared/streams/live-streams.ts';
import { type Close, closeOf, closes } from './close-code.ts';
import type { FrameCodec, WebSocketForms } from './frame-codec.ts';
import { IncomingFrames } from './incoming-frames.ts';

interface Deps {
  /** The connection beneath the WebSocket: TCP or TLS. */
  duplex: Duplex;
  codec: FrameCodec;
  frames: WebSocketForms;
  streams: LiveStreams;
  log: Logger;
}

/** The parts of a handshake that its session needs. */
export interface Handshake {
  /** By lower-case name. */
  headers: Readonly<Record<string, string>>;
  /** `Bearer …`; undefined if the client sends its token as its first command. */
  authorization: string | undefined;
  /** The client's address and port. */
  peer: string;
}

/** A WebSocket that refers to its Connection, so that all sockets share the same listeners: closures per socket would cost 0.5 KiB. */
export class ConnectionSocket extends WebSocket {
  connection: Connection | undefined;
}

export interface ConnectionOptions {
  /** How long a socket may be open without a token, in milliseconds. */
  authTimeoutMs: number;
  /** How long the client may take to answer the closing handshake, in milliseconds. */
  closeTimeoutMs: number;
}

/** The longest first frame that is decoded for a client that has not authenticated, in bytes. */
const maxStrangerBytes = 65_536;

/** Runs the session of one socket, from its opening to its close. */
export class Connection {
  readonly #socket: ConnectionSocket;
  readonly #deps: Deps;
  readonly #options: ConnectionOptions;
  readonly #incoming: IncomingFrames;
  readonly #gone = new LightAbortController();

  constructor(socket: ConnectionSocket, deps: Deps, options: ConnectionOptions) {
    this.#socket = socket;
    this.#deps = deps;
    this.#options = options;
    this.#incoming = new IncomingFrames(socket, deps.codec);
    socket.connection = this;
    socket.on('message', onMessage);
    socket.on('close', onClose);
    socket.on('error', onError);
  }

  received(data: Buffer, binary: boolean): void {
    this.#incoming.came(data, binary);
  }

  closed(): void {
    this.#gone.abort();
    this.#incoming.close();
  }

  /** Logs a violation of the WebSocket protocol. ws closes the socket with the matching code. */
  broke(err: Error): void {
    this.#deps.log.debug({ err }, 'a WebSocket client violated the protocol');
  }

  /** Opens the stream, and closes the socket when the stream ends. Never throws. */
  run(handshake: Handshake): Promise<void> {
    return this.#open(handshake).then(
      () => this.#close(closes.normal),
      (error) => {
        if (!(error instanceof CallFailure)) this.#deps.log.error({ err: error }, 'a WebSocket failed');
        this.#close(error instanceof CallFailure ? closeOf(error) : closes.internal);
      },
    );
  }

  #open(handshake: Handshake): Promise<void> {
    if (handshake.authorization === undefined) return this.#openWithToken(handshake);
    return this.#deps.streams.run({
      transport: 'websocket',
      // Made in a scope of its own: closures of this scope would keep the token in memory while the socket is open.
      header: headerIn(handshake),
      peer: handshake.peer,
      commands: this.#incoming,
      write:
        this.#socket.extensions === ''
          ? (frame) => this.#writePrepared(frame)
          : (frame) => this.#writeCompressed(frame),
      onStuck: () => this.#socket.terminate(),
      signal: this.#gone,
    });
  }

  async #openWithToken(handshake: Handshake): Promise<void> {
    return this.#open({ ...handshake, authorization: `Bearer ${await this.#awaitToken()}` });
  }

  #close({ code, reason }: Close): void {
    const socket = this.#socket;
    socket.close(code, reason);
    const timer = setTimeout(() => socket.terminate(), this.#options.closeTimeoutMs);
    socket.once('close', () => clearTimeout(timer));
  }

  /**
   * Waits for the first frame and returns the token of its first command, for a client without a token in its handshake. The frame goes back
   * into the inbox, so its commands are carried out. Throws CallFailure (TOKEN_MISSING, also after `authTimeoutMs`; CLIENT_GONE;
   * MALFORMED_FRAME; FRAME_LIMIT).
   */
  async #awaitToken(): Promise<string> {
    const missing = new ChatError(
      'TOKEN_MISSING',
      'the stream needs an access token: the first command must be authenticate',
    );
    const ready = Promise.withResolvers<void>();
    const timer = setTimeout(() => ready.reject(missing), this.#options.authTimeoutMs);
    this.#incoming.onReady(ready.resolve);
    try {
      await ready.promise;
      const commands = this.#incoming.take(maxStrangerBytes);
      if (!commands) throw new ChatError('CLIENT_GONE', 'the client has disconnected');
      const token = tokenIn(commands);
      if (token === undefined) throw missing;
      this.#incoming.giveBack(commands);
      return token;
    } catch (error) {
      throw error instanceof ChatError ? toCallFailure(error) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Writes a prepared frame directly to the connection, which avoids ws's work per socket. */
  #writePrepared(frame: Frame): Promise<void> | undefined {
    const socket = this.#socket;
    const { duplex, frames } = this.#deps;
    if (socket.readyState !== socket.OPEN) return this.#never();
    if (duplex.write(frame.as(frames.whole))) return undefined;
    return new Promise((resolve) => duplex.once('drain', resolve));
  }

  #writeCompressed(frame: Frame): Promise<void> | undefined {
    const socket = this.#socket;
    const { codec, frames } = this.#deps;
    if (socket.readyState !== socket.OPEN) return this.#never();
    return new Promise((resolve) => {
      socket.send(frame.as(frames.payload), { binary: codec.binary, compress: true }, (error) => {
        if (!error) resolve();
      });
    });
  }

  /** Blocks the writer of a closing socket. The socket's `close` event then ends the stream. */
  #never(): Promise<void> {
    return new Promise(() => {});
  }
}

function headerIn({ headers, authorization }: Handshake): (name: string) => string | undefined {
  return (name) => (name === 'authorization' ? authorization : headers[name]);
}

function onMessage(this: WebSocket, data: Buffer, binary: boolean): void {
  (this as ConnectionSocket).connection?.received(data, binary);
}

function onClose(this: WebSocket): void {
  (this as ConnectionSocket).connection?.closed();
}

function onError(this: WebSocket, error: Error): void {
  (this as ConnectionSocket).connection?.broke(error);
}

function tokenIn([first]: readonly ReadCommand[]): string | undefined {
  return first && 'command' in first && first.command?.$case === 'authenticate' ? first.command.value.token : undefined;
}
