import { jsonCodec, protoCodec } from './frame-codec.ts';
import { type Fetch, restCalls } from './rest-calls.ts';
import type { Transport } from './transport.ts';
import { type WebSocketConstructor, WebSocketStream } from './web-socket-stream.ts';

export interface WebSocketTransportOptions {
  /** The encoding of frames: protobuf, or JSON, which is readable in a browser's network tools. Default `proto`. */
  encoding?: 'proto' | 'json';
  /** Replaces the global `WebSocket`, for example to trust a private authority. */
  webSocket?: WebSocketConstructor;
  /** Replaces the global `fetch`. */
  fetch?: Fetch;
}

/**
 * Creates a transport that uses WebSocket for streams and REST for unary calls. It works in browsers and in Node 22 or newer. `baseUrl` is the
 * address of the service's gateway (`https://chat.example.com`); in a browser it can also be a path on the page's own origin. Throws TypeError
 * if `baseUrl` is not a URL, or if there is no global WebSocket and none is given.
 *
 * A WebSocket has no flow control for its reader: unread frames are held in memory.
 *
 * @example
 * const transport = webSocketTransport('https://chat.example.com');
 */
export function webSocketTransport(baseUrl: string, options: WebSocketTransportOptions = {}): Transport {
  const { origin, pathname } = new URL(baseUrl, pageUrl());
  const base = `${origin}${pathname}`.replace(/\/+$/, '');
  const codec = options.encoding === 'json' ? jsonCodec : protoCodec;
  const webSocket = options.webSocket ?? (globalThis.WebSocket as unknown as WebSocketConstructor | undefined);
  if (!webSocket) throw new TypeError('there is no WebSocket here: give one as an option');
  const closed = new AbortController();
  return {
    ...restCalls(base, options.fetch ?? ((url, init) => fetch(url, init))),
    connect(token, signal) {
      const url = `${base.replace(/^http/, 'ws')}/v1/connect`;
      const either = AbortSignal.any([signal, closed.signal]);
      const stream = new WebSocketStream({ url, codec, webSocket, token, signal: either });
      return { send: (command) => stream.send(command), frames: stream.frames };
    },
    close: () => closed.abort(),
  };
}

/** The page's address; undefined outside browsers. */
function pageUrl(): string | undefined {
  return (globalThis as { location?: { href: string } }).location?.href;
}
