import type { Command, Event } from '../../api/chat/v1/chat.ts';
import { sleep } from '../../backoff/sleep.ts';
import { ChatClientError } from '../errors/chat-error.ts';
import { closeError } from '../errors/close-error.ts';
import { CommandQueue } from './command-queue.ts';
import type { FrameCodec } from './frame-codec.ts';
import { Mailbox } from './mailbox.ts';
import type { Stream } from './transport.ts';

/** The part of the WebSocket interface that the SDK uses. Browsers, Node and most WebSocket packages provide it. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
}

/** A WebSocket class. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

export interface WebSocketStreamOptions {
  url: string;
  codec: FrameCodec;
  webSocket: WebSocketConstructor;
  token: string;
  signal: AbortSignal;
  /** Maximum duration of the handshake in milliseconds. Default 10,000. */
  openTimeoutMs?: number;
}

/** Commands wait while the socket has buffered more than this many bytes. */
const maxBufferedBytes = 1_024 * 1_024;

/** Interval of checking the socket's buffer in milliseconds; a WebSocket has no event for it. */
const roomPollMs = 20;

/** A valid item of Sec-WebSocket-Protocol. Source: `token` in RFC 9110, section 5.6.2 */
const protocolItem = /^[\w!#$%&'*+.^`|~-]+$/;

/** A ConnectChat stream over its own WebSocket. Opens the socket at once. The constructor does not throw: `frames` does. */
export class WebSocketStream implements Stream {
  readonly frames = new Mailbox<readonly Event[]>();
  readonly #options: WebSocketStreamOptions;
  readonly #ended = new AbortController();
  readonly #queue = new CommandQueue(this.#ended.signal);
  readonly #abort = () => this.#breakOff(new ChatClientError('the stream was cancelled', { code: 'CANCELLED' }));
  #socket: WebSocketLike | undefined;
  #openTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: WebSocketStreamOptions) {
    this.#options = options;
    const { signal, openTimeoutMs = 10_000 } = options;
    if (signal.aborted) {
      this.#abort();
      return;
    }
    signal.addEventListener('abort', this.#abort, { once: true });
    const late = new ChatClientError('the service does not answer', { code: 'UNAVAILABLE' });
    this.#openTimer = setTimeout(() => this.#breakOff(late), openTimeoutMs);
    try {
      this.#open();
    } catch (error) {
      this.#breakOff(faultError(error));
    }
  }

  send(command: Command): void {
    this.#queue.push(command);
  }

  #open(): void {
    const { url, codec, webSocket, token } = this.#options;
    const inHeader = protocolItem.test(token);
    // A token that is not valid in the header is sent as the first command.
    if (!inHeader) this.send({ commandId: '', command: { $case: 'authenticate', value: { token } } });
    const socket = new webSocket(url, [codec.protocol, ...(inHeader ? [`chat.v1.bearer.${token}`] : [])]);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => {
      clearTimeout(this.#openTimer);
      this.#sendAll(socket).catch((error: unknown) => this.#breakOff(faultError(error)));
    });
    socket.addEventListener('message', ({ data }) => this.#receive(data));
    // The `close` event that follows carries the reason.
    socket.addEventListener('error', () => {});
    socket.addEventListener('close', ({ code, reason }) => this.#end(closeError(code, reason)));
  }

  #receive(data: unknown): void {
    if (this.#ended.signal.aborted) return;
    try {
      const events = this.#options.codec.decode(data);
      for (const { event } of events) if (event?.$case === 'welcome') this.#queue.obey(event.value.limits);
      this.frames.push(events);
    } catch (error) {
      this.#breakOff(faultError(error));
    }
  }

  async #sendAll(socket: WebSocketLike): Promise<void> {
    const { signal } = this.#ended;
    for await (const { commands } of this.#queue.frames()) {
      while (socket.bufferedAmount > maxBufferedBytes && !signal.aborted) await sleep(roomPollMs, signal);
      if (signal.aborted) return;
      socket.send(this.#options.codec.encode(commands));
    }
  }

  #breakOff(error: ChatClientError): void {
    this.#end(error);
    this.#socket?.close(1000);
  }

  #end(error?: ChatClientError): void {
    clearTimeout(this.#openTimer);
    this.#options.signal.removeEventListener('abort', this.#abort);
    this.#ended.abort();
    this.frames.end(error);
  }
}

function faultError(cause: unknown): ChatClientError {
  return new ChatClientError((cause as Error).message, { code: 'INTERNAL', cause });
}
