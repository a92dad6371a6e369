import { jsonCodec, protoCodec } from './frame-codec.ts';
import { type Fetch, restCalls } from './rest-calls.ts';
import type { Transport } from './transport.ts';
import { type WebSocketConstructor, WebSocketStream } from './web-socket-stream.ts';

export interface WebSocketTransportOptions {
  /** How frames look on the wire: protobuf, or JSON that one can read in the browser's tools. Default `proto`. */
  encoding?: 'proto' | 'json';
  /** Instead of the global one. */
  webSocket?: WebSocketConstructor;
  /** Instead of the global one. */
  fetch?: Fetch;
}

/**
 * From browsers and from Node: streams over WebSocket, unary calls over REST. `baseUrl` is where the service's HTTP side is
 * (`https://chat.example.com`), in a browser also a path on the page's own origin. Throws TypeError if it is no URL,
 * and where there is no WebSocket.
 *
 * A WebSocket has no flow control towards its reader: frames that are not read are held in memory.
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

/** Undefined but in browsers. */
function pageUrl(): string | undefined {
  return (globalThis as { location?: { href: string } }).location?.href;
}
