import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy between a client and a service, whose connections a test can break. */
export class FlakyLink {
  /** `host:port` */
  readonly address: string;
  /** The number of connections that were broken. */
  cuts = 0;
  /** Whether new connections are reset at once. */
  refusing = false;
  /** `host:port` to which new connections go. */
  target: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.target = target;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async to(target: string): Promise<FlakyLink> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const link = new FlakyLink(server, target);
    server.on('connection', (client) => {
      const [host, port] = link.target.split(':');
      link.#connect(client, createConnection(Number(port), host));
    });
    return link;
  }

  /** Breaks every connection, as a network does: resets both sides and loses the data in transit. */
  cut(): void {
    this.cuts += this.#sockets.size / 2;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #connect(client: Socket, upstream: Socket): void {
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay();
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
    if (this.refusing) client.resetAndDestroy();
  }
}
