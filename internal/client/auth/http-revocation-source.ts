import { ChatError } from '../../model/errors.ts';
import type { RevocationSource } from '../../repository/revocation-source.ts';

export interface HttpRevocationSourceOptions {
  /** The longest time of a request, in milliseconds. */
  timeoutMs: number;
  /** The longest answer that is read, in bytes. */
  maxBytes: number;
}

const defaults: HttpRevocationSourceOptions = { timeoutMs: 2_000, maxBytes: 16_777_216 };

/** Asks an auth-server (`auth.v1.AuthService/ListRevocations`): `GET {url}?cursor=…`, answered by `{"sessionIds": […], "cursor": "…"}`. */
export class HttpRevocationSource implements RevocationSource {
  readonly #url: URL;
  readonly #options: HttpRevocationSourceOptions;

  constructor(url: string, options: Partial<HttpRevocationSourceOptions> = {}) {
    this.#url = new URL(url);
    this.#options = { ...defaults, ...options };
  }

  async listRevocations(cursor?: string): Promise<{ sessionIds: string[]; cursor: string }> {
    try {
      const response = await this.#get(cursor);
      // The auth-server refuses a cursor of another database. Begin again without one.
      if (response.status === 400 && cursor) {
        await response.body?.cancel();
        return parse(await this.#read(await this.#get()));
      }
      return parse(await this.#read(response));
    } catch (cause) {
      const message = 'the auth-server cannot be asked for the ended sessions';
      throw new ChatError('STORAGE_UNAVAILABLE', message, { retryAfterMs: 1_000, cause });
    }
  }

  #get(cursor?: string): Promise<Response> {
    const url = new URL(this.#url);
    if (cursor) url.searchParams.set('cursor', cursor);
    return fetch(url, {
      headers: { accept: 'application/json', 'user-agent': 'chat-service' },
      redirect: 'error',
      signal: AbortSignal.timeout(this.#options.timeoutMs),
    });
  }

  async #read(response: Response): Promise<unknown> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`the auth-server answered with status ${response.status}`);
    }
    // A throw inside the loop cancels the rest of the body.
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > this.#options.maxBytes) throw new Error('the answer is too long');
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString());
  }
}

/** Checks an answer. Empty fields may be missing, as in proto3 JSON. */
function parse(body: unknown): { sessionIds: string[]; cursor: string } {
  if (typeof body !== 'object' || body === null) throw new Error('its answer is not of the agreed form');
  const { sessionIds = [], cursor = '' } = body as { sessionIds?: unknown; cursor?: unknown };
  const texts = Array.isArray(sessionIds) && sessionIds.every((id) => typeof id === 'string');
  if (Array.isArray(body) || !texts || typeof cursor !== 'string') {
    throw new Error('its answer is not of the agreed form');
  }
  return { sessionIds, cursor };
}
