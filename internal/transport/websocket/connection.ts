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
  /** What the socket runs over. */
  duplex: Duplex;
  codec: FrameCodec;
  frames: WebSocketForms;
  streams: LiveStreams;
  log: Logger;
}

/** What counts of a handshake. */
export interface Handshake {
  /** By lower-case name. */
  headers: Readonly<Record<string, string>>;
  /** `Bearer …`, if it had that. */
  authorization: string | undefined;
  peer: string;
}

/** Knows its connection, so that the same listeners do for all sockets: closures of each one's own would take half a KiB. */
export class ConnectionSocket extends WebSocket {
  connection: Connection | undefined;
}

export interface ConnectionOptions {
  /** How long a socket may be open without a token, in milliseconds. */
  authTimeoutMs: number;
  /** How long the client may take to answer the closing handshake, in milliseconds. */
  closeTimeoutMs: number;
}

/** What is decoded of somebody who may turn out to be nobody, in bytes. */
const maxStrangerBytes = 65_536;

/** The session of one socket, from its opening to its end. */
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

  /** What is wrong with a frame of the WebSocket protocol itself; ws closes the socket with the code for it. */
  broke(err: Error): void {
    this.#deps.log.debug({ err }, 'a WebSocket client broke the protocol');
  }

  /** Resolves when the socket is being closed. Never throws. */
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
      // Made elsewhere: the functions below would keep the token for as long as the socket is open.
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

  /** The token in the first frame, of a client that had none in its handshake. The frame is carried out as well. */
  async #awaitToken(): Promise<string> {
    const missing = new ChatError('TOKEN_MISSING', 'an access token is needed: the first command must be authenticate');
    const ready = Promise.withResolvers<void>();
    const timer = setTimeout(() => ready.reject(missing), this.#options.authTimeoutMs);
    this.#incoming.onReady(ready.resolve);
    try {
      await ready.promise;
      const commands = this.#incoming.take(maxStrangerBytes);
      if (!commands) throw new ChatError('CLIENT_GONE', 'the client has gone');
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

  /** Straight to the connection, past what ws does for each frame and socket. */
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

  /** The socket is closing: its stream ends as soon as that is seen. */
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
