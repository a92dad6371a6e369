import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { ChatError } from '../model/errors.ts';
import type { PasswordHasher } from './password-hasher.ts';

const derive = promisify(argon2);

/** Parameters of Argon2id: memory in KiB, passes, lanes. */
interface Cost {
  memory: number;
  passes: number;
  parallelism: number;
}

/** Source: OWASP Password Storage Cheat Sheet */
const defaultCost: Cost = { memory: 19_456, passes: 2, parallelism: 1 };
const saltBytes = 16;
const tagBytes = 32;

/** PHC string format. Source: https://github.com/P-H-C/phc-string-format */
const phc = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/**
 * Digests passwords with Node's Argon2id (RFC 9106). `maxAtOnce` run at a time, because each takes 19 MiB and a worker thread of the process;
 * `maxWaiting` wait in order; more are refused.
 */
export class Argon2PasswordHasher implements PasswordHasher {
  readonly #cost: Cost;
  readonly #maxAtOnce: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor({
    cost = defaultCost,
    maxAtOnce = 2,
    maxWaiting = 64,
  }: { cost?: Cost; maxAtOnce?: number; maxWaiting?: number } = {}) {
    this.#cost = cost;
    this.#maxAtOnce = maxAtOnce;
    this.#maxWaiting = maxWaiting;
  }

  async hash(password: string): Promise<string> {
    const { memory, passes, parallelism } = this.#cost;
    const salt = randomBytes(saltBytes);
    const tag = await this.#derive(password, salt, this.#cost, tagBytes);
    return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${encode(salt)}$${encode(tag)}`;
  }

  async verify(password: string, hash: string): Promise<boolean> {
    const { cost, salt, tag } = parse(hash);
    return timingSafeEqual(await this.#derive(password, salt, cost, tag.length), tag);
  }

  isOutdated(hash: string): boolean {
    const { cost } = parse(hash);
    const { memory, passes, parallelism } = this.#cost;
    return cost.memory !== memory || cost.passes !== passes || cost.parallelism !== parallelism;
  }

  async #derive(password: string, nonce: Buffer, cost: Cost, tagLength: number): Promise<Buffer> {
    await this.#enter();
    try {
      // Keyboards produce different code points for the same character.
      return await derive('argon2id', { message: password.normalize('NFKC'), nonce, tagLength, ...cost });
    } finally {
      const next = this.#waiting.shift();
      // The next waiter takes over this slot directly, so no later caller can overtake it.
      if (next) next();
      else this.#running -= 1;
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#maxAtOnce) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= this.#maxWaiting) {
      throw new ChatError('RATE_LIMITED', 'too many passwords are being checked at the moment', {
        retryAfterMs: 1_000,
      });
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

function parse(hash: string): { cost: Cost; salt: Buffer; tag: Buffer } {
  const [, memory, passes, parallelism, salt = '', tag = ''] = phc.exec(hash) ?? [];
  if (!tag) throw new Error('a stored password digest is not Argon2id in PHC string format');
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  return { cost, salt: Buffer.from(salt, 'base64'), tag: Buffer.from(tag, 'base64') };
}
