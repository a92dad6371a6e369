import { hash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the endpoint tells. */
export interface AdminSources {
  /** The metrics as a scraper reads them. */
  expose(): Promise<{ contentType: string; text: string }>;
  /** Why the process is not ready to serve clients; empty if it is. */
  notReady(): string[];
  /** The metrics cannot be read. */
  onError(error: unknown): void;
}

interface Options {
  host: string;
  port: number;
  access: AdminAccess;
}

/** Read at each request. */
export interface AdminAccess {
  /** What requests for metrics must carry as a bearer token. Health needs none: orchestrators ask for it. */
  token: string | undefined;
}

/** How long a scraper may take to send its request, in milliseconds. */
const requestTimeoutMs = 5_000;

/** The endpoint for operators: `/metrics`, `/livez` and `/readyz`. */
export class AdminServer {
  readonly #sources: AdminSources;
  readonly #access: AdminAccess;
  readonly #server: Server;

  private constructor(sources: AdminSources, access: AdminAccess) {
    this.#sources = sources;
    this.#access = access;
    this.#server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
      this.#answer(request, response).catch((err: unknown) => {
        this.#sources.onError(err);
        send(response, 500, 'text/plain', 'the metrics cannot be read\n');
      });
    });
  }

  /** Throws the error of `listen`, for example EADDRINUSE. */
  static async listen(sources: AdminSources, { host, port, access }: Options): Promise<AdminServer> {
    const admin = new AdminServer(sources, access);
    admin.#server.listen(port, host);
    await once(admin.#server, 'listening');
    return admin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer({ method, url = '', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path] = url.split('?', 1);
    if (method !== 'GET' && method !== 'HEAD') return send(response, 405, 'text/plain', 'only GET\n');
    switch (path) {
      case '/livez':
        return send(response, 200, 'text/plain', 'ok\n');
      case '/readyz': {
        const reasons = this.#sources.notReady();
        const ready = reasons.length === 0;
        return send(response, ready ? 200 : 503, 'application/json', `${JSON.stringify({ ready, reasons })}\n`);
      }
      case '/metrics': {
        if (!this.#mayRead(headers.authorization)) {
          response.setHeader('www-authenticate', 'Bearer');
          return send(response, 401, 'text/plain', 'a bearer token is required: ADMIN_TOKEN\n');
        }
        const { contentType, text } = await this.#sources.expose();
        return send(response, 200, contentType, text);
      }
      default:
        return send(response, 404, 'text/plain', 'there are /metrics, /livez and /readyz\n');
    }
  }

  #mayRead(authorization = ''): boolean {
    const { token } = this.#access;
    if (token === undefined) return true;
    const given = /^Bearer (.+)$/i.exec(authorization)?.[1] ?? '';
    return timingSafeEqual(digest(given), digest(token));
  }
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

function send(response: ServerResponse, status: number, contentType: string, text: string): void {
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' }).end(text);
}
