import WebSocket from 'ws';
import { grpcTransport, type TlsOptions } from '../../../pkg/chat-client/grpc.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import type { WebSocketConstructor } from '../../../pkg/chat-client/transports/web-socket-stream.ts';
import { webSocketTransport } from '../../../pkg/chat-client/transports/web-socket-transport.ts';
import { sseTransport } from './sse-transport.ts';

/** The transports by name. With `sdk-` the SDK's client uses it, which reconnects by itself. */
export const transportNames = ['grpc', 'ws-proto', 'ws-json', 'sse', 'sdk-grpc', 'sdk-ws'] as const;
export type TransportName = (typeof transportNames)[number];

/** The addresses of a service: any number of nodes of each kind. */
export interface Deployment {
  /** `host:port` */
  grpc: readonly string[];
  /** `http://host:port` */
  http: readonly string[];
  /** TLS of gRPC; absent: plain text. */
  tls?: TlsOptions;
}

/** A connection to one node that can stop reading for a while. */
export interface Connection {
  transport: Transport;
  /** Stops reading from the network until the returned function is called. */
  pause(): () => void;
}

export function isGrpc(transportName: TransportName): boolean {
  return transportName === 'grpc' || transportName === 'sdk-grpc';
}

/** Opens a connection. `node` selects the address, modulo their number. */
export function openConnection(
  transportName: TransportName,
  { grpc, http, tls }: Deployment,
  node: number,
): Connection {
  if (isGrpc(transportName)) {
    const address = grpc[node % grpc.length]!;
    const transport = grpcTransport(address, { tls, channelOptions: { 'grpc.use_local_subchannel_pool': 1 } });
    // A gRPC stream reads from the network only what its reader asks for.
    return { transport, pause: () => () => {} };
  }
  const url = http[node % http.length]!;
  const sockets = new Set<WebSocket>();
  const transport = webSocketTransport(url, {
    encoding: transportName === 'ws-json' ? 'json' : 'proto',
    webSocket: pausable(sockets),
  });
  return {
    transport: transportName === 'sse' ? sseTransport(url, transport) : transport,
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
