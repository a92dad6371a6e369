import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A TCP proxy between two processes whose connections can be cut, slowed down and silenced. */
export class Link {
  readonly name: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #refusing = false;
  #silent = false;
  #delayMs = 0;

  private constructor(name: string, server: Server) {
    this.name = name;
    this.#server = server;
  }

  /** `port` is called for each connection and returns the port on loopback to connect to. */
  static async to(name: string, port: () => number): Promise<Link> {
    const server = createServer();
    const link = new Link(name, server);
    server.on('connection', (client) => link.#connect(client, port()));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks every connection and refuses new ones. */
  cut(): void {
    this.#refusing = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Carries nothing more, but keeps the connections open; data waits. */
  silence(): void {
    this.#silent = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Delays all data by `delayMs`, in each direction. */
  slow(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  restore(): void {
    this.#refusing = false;
    this.#silent = false;
    this.#delayMs = 0;
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #connect(client: Socket, port: number): void {
    client.on('error', () => {});
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(port, '127.0.0.1');
    this.#carry(client, upstream);
    this.#carry(upstream, client);
  }

  #carry(from: Socket, to: Socket): void {
    let last: Promise<void> = Promise.resolve();
    this.#sockets.add(from);
    from.setNoDelay();
    if (this.#silent) from.pause();
    from.on('data', (chunk) => {
      const delayMs = this.#delayMs;
      if (delayMs === 0) {
        last = last.then(() => void to.write(chunk));
        return;
      }
      const due = sleep(delayMs);
      last = Promise.all([last, due]).then(() => void to.write(chunk));
    });
    from.on('error', () => to.destroy());
    from.on('end', () => void last.then(() => to.end()));
    from.on('close', () => {
      this.#sockets.delete(from);
      void last.then(() => to.destroy());
    });
  }
}
