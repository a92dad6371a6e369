import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Starts and stops an HTTP or HTTPS server, with timeouts that suit a service behind proxies. */
export class HttpServer {
  readonly #server: Server;
  readonly #address: { host: string; port: number };

  /** Port 0: any free port. */
  constructor(server: Server, address: { host: string; port: number }) {
    // Longer than the 60 s for which proxies commonly keep an idle connection, so that a proxy does not use one that is just closing.
    server.keepAliveTimeout = 65_000;
    server.requestTimeout = 30_000;
    server.headersTimeout = 15_000;
    this.#server = server;
    this.#address = address;
  }

  /** Starts listening and returns the port. Throws an Error that names the address and the cause. */
  async listen(): Promise<number> {
    const { host, port } = this.#address;
    const server = this.#server;
    server.listen(port, host);
    try {
      await once(server, 'listening');
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      const why = code === 'EADDRINUSE' ? 'the port is taken (set HTTP_PORT)' : (code ?? message);
      throw new Error(`cannot listen for HTTP on ${host.includes(':') ? `[${host}]` : host}:${port}: ${why}`, {
        cause,
      });
    }
    return (server.address() as AddressInfo).port;
  }

  /** Refuses new connections, waits for the open ones, and closes those that are left after `graceMs` milliseconds. Idempotent. */
  async stop(graceMs: number): Promise<void> {
    const server = this.#server;
    if (!server.listening) return;
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    try {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    } finally {
      clearTimeout(timer);
    }
  }
}
