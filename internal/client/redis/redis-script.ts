import { createHash } from 'node:crypto';
import type { RedisClient } from './redis-client.ts';

/** A Lua script. Sends only its SHA-1 digest, and the whole text if the server does not have the script. */
export class RedisScript {
  readonly #text: string;
  readonly #digest: string;

  constructor(text: string) {
    this.#text = text;
    this.#digest = createHash('sha1').update(text).digest('hex');
  }

  /** Runs the script with one key. Throws the client's errors. */
  async run(client: RedisClient, key: string, args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await client.evalsha(this.#digest, 1, key, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return client.eval(this.#text, 1, key, ...args);
    }
  }
}
