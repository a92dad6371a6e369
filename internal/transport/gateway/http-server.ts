import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Listens for HTTP or HTTPS. */
export class HttpServer {
  readonly #server: Server;
  readonly #address: { host: string; port: number };

  /** Port 0: any free one. */
  constructor(server: Server, address: { host: string; port: number }) {
    // Longer than the minute for which proxies commonly keep an idle connection.
    server.keepAliveTimeout = 65_000;
    server.requestTimeout = 30_000;
    server.headersTimeout = 15_000;
    this.#server = server;
    this.#address = address;
  }

  /** Returns the port. Throws an error with a clear message if the address cannot be had. */
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

  /** Takes no more connections; after `graceMs` cuts off those that are left. Twice is harmless. */
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
