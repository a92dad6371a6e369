import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import { ChatError } from '../../model/errors.ts';
import { failureOf } from '../gateway/rest-handler.ts';
import { CallFailure } from '../gateway/unary-caller.ts';
import type { ReadCommand } from '../live/command-reader.ts';
import type { LiveStreams } from '../live/live-streams.ts';
import { type Close, closeOf, closes } from './close-code.ts';
import type { FrameCodec, PreparedFrames } from './frame-codec.ts';
import { type IncomingFrame, IncomingFrames } from './incoming-frames.ts';

export interface ConnectionDeps {
  socket: WebSocket;
  /** What the socket runs over. */
  duplex: Duplex;
  codec: FrameCodec;
  frames: PreparedFrames;
  streams: LiveStreams;
  log: Logger;
  /** Of the handshake, by lower-case name. */
  headers: Readonly<Record<string, string>>;
  /** `Bearer …`, if the handshake had it. */
  authorization: string | undefined;
  peer: string;
}

export interface ConnectionOptions {
  /** How long a socket may be open without a token, in milliseconds. */
  authTimeoutMs: number;
  /** How long the client may take to answer the closing handshake, in milliseconds. */
  closeTimeoutMs: number;
}

/** The session of one socket, from its opening to its end. */
export class Connection {
  readonly #deps: ConnectionDeps;
  readonly #options: ConnectionOptions;
  readonly #incoming: IncomingFrames;
  readonly #gone = new AbortController();

  constructor(deps: ConnectionDeps, options: ConnectionOptions) {
    this.#deps = deps;
    this.#options = options;
    const { socket } = deps;
    this.#incoming = new IncomingFrames(socket);
    socket.once('close', () => this.#gone.abort());
  }

  /** Resolves when the socket is being closed. Never throws. */
  async run(): Promise<void> {
    const { socket, log, peer, streams } = this.#deps;
    // What is wrong with a frame of the WebSocket protocol itself; ws closes the socket with the code for it.
    socket.on('error', (err) => log.debug({ err }, 'a WebSocket client broke the protocol'));
    let close: Close = closes.normal;
    try {
      const { handshake, first } = await this.#authenticate();
      await streams.run({
        header: (name) => handshake[name],
        peer,
        commands: this.#commands(first),
        write:
          socket.extensions === '' ? (frame) => this.#writePrepared(frame) : (frame) => this.#writeCompressed(frame),
        onStuck: () => socket.terminate(),
        signal: this.#gone.signal,
      });
    } catch (error) {
      if (!(error instanceof CallFailure)) log.error({ err: error }, 'a WebSocket failed');
      close = error instanceof CallFailure ? closeOf(error) : closes.internal;
    }
    socket.close(close.code, close.reason);
    const timer = setTimeout(() => socket.terminate(), this.#options.closeTimeoutMs);
    socket.once('close', () => clearTimeout(timer));
  }

  /** The headers, with the token among them, which may be the first command's. */
  async #authenticate(): Promise<{ handshake: Readonly<Record<string, string>>; first?: readonly ReadCommand[] }> {
    const { authorization, headers } = this.#deps;
    if (authorization !== undefined) return { handshake: { ...headers, authorization } };
    const first = await this.#awaitToken();
    return { handshake: { ...headers, authorization: `Bearer ${tokenIn(first)}` }, first };
  }

  /** The first frame of a client that had no token in its handshake. */
  async #awaitToken(): Promise<readonly ReadCommand[]> {
    const { authTimeoutMs } = this.#options;
    const missing = new ChatError('TOKEN_MISSING', 'an access token is needed: the first command must be authenticate');
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(failureOf(missing)), authTimeoutMs);
    try {
      const frame = await Promise.race([this.#incoming.next(), late.promise]);
      if (!frame) throw new ChatError('CLIENT_GONE', 'the client has gone');
      const commands = this.#decode(frame);
      if (tokenIn(commands) === undefined) throw missing;
      return commands;
    } catch (error) {
      throw error instanceof ChatError ? failureOf(error) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  #commands(first: readonly ReadCommand[] | undefined): AsyncIterable<readonly ReadCommand[]> {
    let early = first;
    const decoded = (frame: IncomingFrame | undefined): IteratorResult<readonly ReadCommand[]> =>
      frame ? { done: false, value: this.#decode(frame) } : { done: true, value: undefined };
    const next = (): Promise<IteratorResult<readonly ReadCommand[]>> => {
      if (!early) return this.#incoming.next().then(decoded);
      const value = early;
      early = undefined;
      return Promise.resolve({ done: false, value });
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  #decode({ data, binary }: { data: Buffer; binary: boolean }): readonly ReadCommand[] {
    const { codec } = this.#deps;
    if (binary === codec.binary) return codec.decode(data);
    throw new ChatError('MALFORMED_FRAME', `frames of this sub-protocol are ${codec.binary ? 'binary' : 'text'}`);
  }

  /** Straight to the connection, past what ws does for each frame and socket. */
  #writePrepared(frame: Uint8Array): Promise<void> | undefined {
    const { socket, duplex, frames } = this.#deps;
    if (socket.readyState !== socket.OPEN) return this.#never();
    if (duplex.write(frames.whole(frame))) return undefined;
    return new Promise((resolve) => duplex.once('drain', resolve));
  }

  #writeCompressed(frame: Uint8Array): Promise<void> | undefined {
    const { socket, codec, frames } = this.#deps;
    if (socket.readyState !== socket.OPEN) return this.#never();
    return new Promise((resolve) => {
      socket.send(frames.payload(frame), { binary: codec.binary, compress: true }, (error) => {
        if (!error) resolve();
      });
    });
  }

  /** The socket is closing: its stream ends as soon as that is seen. */
  #never(): Promise<void> {
    return new Promise(() => {});
  }
}

function tokenIn([first]: readonly ReadCommand[]): string | undefined {
  return first && 'command' in first && first.command?.$case === 'authenticate' ? first.command.value.token : undefined;
}
