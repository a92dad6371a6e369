import WebSocket from 'ws';
import { grpcTransport, type TlsOptions } from '../../../pkg/chat-client/grpc.ts';
import type { Transport } from '../../../pkg/chat-client/transport.ts';
import type { WebSocketConstructor } from '../../../pkg/chat-client/web-socket-stream.ts';
import { webSocketTransport } from '../../../pkg/chat-client/web-socket-transport.ts';
import { sseTransport } from '../../testing/sse-transport.ts';

/** The ways to a service, by name. `sdk`: by the SDK's client, which comes back by itself. */
export const ways = ['grpc', 'ws-proto', 'ws-json', 'sse', 'sdk-grpc', 'sdk-ws'] as const;
export type Way = (typeof ways)[number];

/** Where a service is: any number of nodes, of each kind of address. */
export interface Deployment {
  /** `host:port` */
  grpc: readonly string[];
  /** `http://host:port` */
  http: readonly string[];
  /** How gRPC is encrypted; absent: not at all. */
  tls?: TlsOptions;
}

/** A connection to one node whose stream can be stopped from reading. */
export interface Line {
  transport: Transport;
  /** Reads nothing more from the network until the returned function is called. */
  pause(): () => void;
}

export function isGrpc(way: Way): boolean {
  return way === 'grpc' || way === 'sdk-grpc';
}

/** Opens a connection of its own; `node` counts through the addresses. */
export function openLine(way: Way, { grpc, http, tls }: Deployment, node: number): Line {
  if (isGrpc(way)) {
    const address = grpc[node % grpc.length]!;
    const transport = grpcTransport(address, { tls, channelOptions: { 'grpc.use_local_subchannel_pool': 1 } });
    // Nothing is read from the network that is not asked for.
    return { transport, pause: () => () => {} };
  }
  const url = http[node % http.length]!;
  const sockets = new Set<WebSocket>();
  const transport = webSocketTransport(url, {
    encoding: way === 'ws-json' ? 'json' : 'proto',
    webSocket: pausable(sockets),
  });
  return {
    transport: way === 'sse' ? sseTransport(url, transport) : transport,
    pause() {
      const open = [...sockets].filter(({ readyState }) => readyState === WebSocket.OPEN);
      for (const socket of open) socket.pause();
      return () => {
        for (const socket of open) socket.resume();
      };
    },
  };
}

function pausable(sockets: Set<WebSocket>): WebSocketConstructor {
  return class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.add(this);
      this.once('close', () => sockets.delete(this));
    }
  } as unknown as WebSocketConstructor;
}
