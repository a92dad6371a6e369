import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** A TCP proxy between the service and its database, which simulates faults of the network. */
export interface TcpProxy {
  /** The database's DSN through this proxy. */
  dsn: string;
  /** Breaks every connection and refuses new ones. */
  cut(): void;
  /** Stops forwarding on the open connections, as if the other machine had lost power. New connections work. */
  freeze(): void;
  /** Stops forwarding on each connection, also on new ones, whose client sends this text. */
  freezeAt(text: string): void;
  /** Delays what the database sends by this many milliseconds for each piece, as a busy server does. */
  slow(delayMs: number): void;
  /** Accepts new connections again, without a delay. */
  restore(): void;
  /** Breaks every connection, and leads new ones to another server: the service's address stays the same across a failover. */
  redirect(dsn: string): void;
  close(): Promise<void>;
}

export async function startTcpProxy(dsn: string): Promise<TcpProxy> {
  let target = new URL(dsn);
  const sockets = new Set<Socket>();
  let refusing = false;
  let fatal: string | undefined;
  let delayMs = 0;
  const delayed = () =>
    new Transform({
      transform(chunk, _encoding, done) {
        if (delayMs === 0) done(null, chunk);
        else setTimeout(done, delayMs, null, chunk);
      },
    });
  const server = createServer((client) => {
    const upstream = connect(Number(target.port || 5432), target.hostname);
    for (const [socket, peer] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        peer.destroy();
      });
    }
    if (refusing) return client.resetAndDestroy();
    client.pipe(upstream).pipe(delayed()).pipe(client);
    client.prependListener('data', (chunk: Buffer) => {
      if (fatal === undefined || !chunk.includes(fatal)) return;
      client.unpipe();
      upstream.unpipe();
    });
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
    freezeAt(text) {
      fatal = text;
    },
    slow(ms) {
      delayMs = ms;
    },
    restore() {
      delayMs = 0;
      refusing = false;
      fatal = undefined;
    },
    redirect(dsn) {
      target = new URL(dsn);
      breakAll();
    },
    async close() {
      server.close();
      breakAll();
      await once(server, 'close');
    },
  };
}
