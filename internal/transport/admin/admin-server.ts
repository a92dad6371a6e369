import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo, ListenOptions } from 'node:net';

/** How long a client may take to send its request, in milliseconds. */
const requestTimeoutMs = 5_000;

/** Listens for requests of operators. */
export class AdminServer {
  readonly #server: Server;

  private constructor(server: Server) {
    server.requestTimeout = requestTimeoutMs;
    this.#server = server;
  }

  /** Throws the error of `listen`, for example EADDRINUSE. */
  static async listen(server: Server, address: ListenOptions): Promise<AdminServer> {
    const admin = new AdminServer(server);
    server.listen(address);
    await once(server, 'listening');
    return admin;
  }

  /** The port; undefined for a socket in the file system. */
  get port(): number | undefined {
    return (this.#server.address() as AddressInfo | string | null as Partial<AddressInfo>)?.port;
  }

  /** Ends the requests under way too: a profile may take a minute. */
  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
