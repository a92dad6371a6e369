import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { request as requestByTls } from 'node:https';
import { text } from 'node:stream/consumers';

/** Where the service answers operators, and how the client shows that it may ask. The files' content is in PEM. */
export interface AdminClientOptions {
  url: URL;
  token: string | undefined;
  /** The number of the worker to ask for the console; undefined: any. */
  worker?: string | undefined;
  tls: { ca: Buffer | undefined; cert: Buffer | undefined; key: Buffer | undefined };
}

/** Parameters; those that are undefined are not sent. */
export type Query = Readonly<Record<string, string | boolean | undefined>>;

/** The service has not done what it was asked for. */
export class AdminClientError extends Error {
  readonly kind: 'refused' | 'unreachable' | 'not authorized';

  constructor(kind: AdminClientError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Asks the service at its admin port. */
export class AdminClient {
  readonly #options: AdminClientOptions;

  constructor(options: AdminClientOptions) {
    this.#options = options;
  }

  /** Resolves when the answer begins. Throws AdminClientError unless its status is 200 or one of `others`. */
  async ask(
    method: 'GET' | 'POST',
    path: string,
    query: Query,
    signal: AbortSignal,
    others: readonly number[] = [],
    body?: object,
  ): Promise<IncomingMessage> {
    const { url, token, worker, tls } = this.#options;
    const target = new URL(`${url.pathname.replace(/\/$/, '')}${path}`, url);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) target.searchParams.set(name, String(value));
    }
    if (worker !== undefined) target.searchParams.set('worker', worker);
    const content = body && JSON.stringify(body);
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(content !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(content),
      }),
    };
    const options = { method, headers, signal, agent: false };
    const sent = url.protocol === 'https:' ? requestByTls(target, { ...options, ...tls }) : request(target, options);
    let answer: IncomingMessage;
    try {
      [answer] = (await once(sent.end(content), 'response')) as [IncomingMessage];
    } catch (cause) {
      signal.throwIfAborted();
      throw new AdminClientError('unreachable', `cannot reach ${url.origin}: ${reasonOf(cause)}`, { cause });
    }
    const { statusCode: status = 0 } = answer;
    if (status === 200 || others.includes(status)) return answer;
    throw new AdminClientError(status === 401 ? 'not authorized' : 'refused', explain(status, await text(answer)));
  }

  /** Asks for an act, as JSON. */
  act<Answer>(path: string, body: object, signal: AbortSignal): Promise<Answer> {
    return this.askJson('POST', path, {}, signal, [], body);
  }

  async askJson<Answer>(...args: Parameters<AdminClient['ask']>): Promise<Answer> {
    const content = await text(await this.ask(...args));
    try {
      return JSON.parse(content) as Answer;
    } catch (cause) {
      throw new AdminClientError('refused', 'this is not the admin port of the service: the answer is not JSON', {
        cause,
      });
    }
  }
}

/** A failure to connect to a name with several addresses has a code only. */
function reasonOf(cause: unknown): string {
  const { message, code } = cause as NodeJS.ErrnoException;
  return message || String(code);
}

function explain(status: number, body: string): string {
  try {
    return (JSON.parse(body) as { error: string }).error;
  } catch {
    return `the service answered with status ${status}`;
  }
}
