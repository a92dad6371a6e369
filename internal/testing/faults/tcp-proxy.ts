import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network between the service and its database that can be cut. */
export interface TcpProxy {
  /** The DSN by way of this proxy. */
  dsn: string;
  /** Breaks every connection and refuses new ones. */
  cut(): void;
  /** Goes silent on the connections that are open, as when the other machine has lost its power; new ones work. */
  freeze(): void;
  /** Lets new connections through again. */
  restore(): void;
  close(): Promise<void>;
}

export async function startTcpProxy(dsn: string): Promise<TcpProxy> {
  const target = new URL(dsn);
  const sockets = new Set<Socket>();
  let refusing = false;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port || 5432), target.hostname);
    for (const [socket, peer] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        peer.destroy();
      });
    }
    if (refusing) return client.resetAndDestroy();
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(dsn);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    dsn: url.href,
    cut() {
      refusing = true;
      breakAll();
    },
    freeze() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    restore() {
      refusing = false;
    },
    async close() {
      server.close();
      breakAll();
      await once(server, 'close');
    },
  };
}
