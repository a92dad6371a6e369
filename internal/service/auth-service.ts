import type { AccessToken, TokenIssuer } from '../client/auth/token-issuer.ts';
import { ChatError } from '../model/errors.ts';

/** Signing in with the embedded issuer. */
export class AuthService {
  readonly #issuer: TokenIssuer;
  readonly #guests: boolean;

  constructor(issuer: TokenIssuer, { guests }: { guests: boolean }) {
    this.#issuer = issuer;
    this.#guests = guests;
  }

  /** The prefix keeps guests apart from users who have proven who they are. Throws FAILED_PRECONDITION (GUESTS_DISABLED). */
  async guest(name: string): Promise<AccessToken & { userId: string; name: string }> {
    if (!this.#guests) throw new ChatError('GUESTS_DISABLED', 'this service does not admit guests');
    const userId = `guest:${name}`;
    return { ...(await this.#issuer.issue({ userId, name, roles: ['user'] })), userId, name };
  }
}
