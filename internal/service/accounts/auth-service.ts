import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { AccessToken, TokenIssuer } from '../../client/auth/token-issuer.ts';
import {
  type Account,
  type AuthEvent,
  type AuthSession,
  type Device,
  userIdOf,
  userName,
} from '../../model/account.ts';
import { ChatError, invalidFieldsError } from '../../model/errors.ts';
import type { Page } from '../../model/page.ts';
import type { Principal } from '../../model/principal.ts';
import { clientNetwork } from '../../ratelimiter/client-network.ts';
import type { RateLimiter } from '../../ratelimiter/rate-limiter.ts';
import type { AccountRepository } from '../../repository/account-repository.ts';
import type { RevocationSource } from '../../repository/revocation-source.ts';
import type { PasswordHasher } from '../../security/password-hasher.ts';
import type { PasswordPolicy } from '../../security/password-policy.ts';

/** The result of signing in or refreshing. */
export interface SignedIn extends AccessToken {
  userId: string;
  name: string;
  refreshToken: string;
  refreshExpiresAt: Date;
  sessionId: string;
}

/** A public key as a JSON Web Key (RFC 7517, RFC 8037). */
export interface PublicKey {
  kty: string;
  crv: string;
  x: string;
  kid: string;
  alg: string;
  use: string;
}

export interface AuthServiceOptions {
  /** Whether guests may sign in without a password. */
  guests: boolean;
  /** Whether anyone may create an account. */
  registration: boolean;
  /** How long a refresh token is valid, in milliseconds. */
  refreshTtlMs: number;
  issuer: string;
  /** The address at which clients reach the HTTP side. */
  publicUrl: string;
}

/** The parts of the embedded issuer. */
export interface AuthDeps {
  accounts: AccountRepository;
  issuer: TokenIssuer;
  keys: { jwks(): Promise<{ keys: object[] }> };
  hasher: PasswordHasher;
  policy: PasswordPolicy;
  limiter: RateLimiter;
  revocations: RevocationSource;
  /** Called after sessions have ended. Resolves once this node refuses their tokens. */
  onSessionsEnded: () => Promise<void>;
}

/** Its digest is verified when there is no account, so that a login takes as long as with one and does not reveal which names exist. */
const nobodysPassword = randomBytes(32).toString('base64');

/**
 * The operations on accounts, sessions and their tokens. Each method throws the errors of the RPC of the same name in the contract. Without the parts of
 * the embedded issuer, every method throws FAILED_PRECONDITION (ACCOUNTS_ELSEWHERE).
 */
export class AuthService {
  readonly #embedded: AuthDeps | undefined;
  readonly #options: AuthServiceOptions;
  #nobodysHash: string | undefined;

  constructor(embedded: AuthDeps | undefined, options: AuthServiceOptions) {
    this.#embedded = embedded;
    this.#options = options;
  }

  async register(
    { username, password, name }: { username: string; password: string; name: string },
    device: Device,
  ): Promise<SignedIn> {
    const { accounts, hasher } = this.#deps;
    if (!this.#options.registration) {
      throw new ChatError('REGISTRATION_DISABLED', 'only the operator can create accounts here');
    }
    if (!userName.test(username)) throw new TypeError('an invalid user name passed the validation');
    await this.#checkStrength('password', password, [username, name]);
    const userId = userIdOf(username);
    const passwordHash = await hasher.hash(password);
    await accounts.create({ userId, name: name.trim() || username, roles: ['user'], passwordHash }, userId);
    return this.#beginSession(userId, passwordHash, device);
  }

  async login({ username, password }: { username: string; password: string }, device: Device): Promise<SignedIn> {
    const { accounts, hasher } = this.#deps;
    const userId = username.normalize('NFKC').toLowerCase();
    // Limits attempts on the name from one network, and, with a higher limit, from all networks together. A backend has only the first limit, so
    // that nobody can lock it out from elsewhere: the operator gives it a password that cannot be guessed.
    const near = `${userId} ${clientNetwork(device.address)}`;
    const everywhere = userId.startsWith('service:') ? undefined : userId;
    const account = await this.#withAttempts(near, everywhere, async () => {
      const found = await accounts.find(userId);
      this.#nobodysHash ??= await hasher.hash(nobodysPassword);
      const matches = await hasher.verify(password, found?.passwordHash ?? this.#nobodysHash);
      if (found && matches) return found;
      throw new ChatError('WRONG_CREDENTIALS', 'there is no account with this user name and password');
    });
    let { passwordHash } = account;
    if (hasher.isOutdated(passwordHash)) {
      const from = passwordHash;
      passwordHash = await hasher.hash(password);
      // The digest has changed meanwhile, by another login or a change of the password.
      if (!(await accounts.rehash(userId, { from, to: passwordHash })))
        return this.login({ username, password }, device);
    }
    return this.#beginSession(userId, passwordHash, device);
  }

  /** Issues a token for a guest. The prefix `guest:` separates guests' ids from those of authenticated users. */
  async guest(name: string): Promise<AccessToken & { userId: string; name: string }> {
    const { issuer } = this.#deps;
    if (!this.#options.guests) throw new ChatError('GUESTS_DISABLED', 'this service does not admit guests');
    const userId = `guest:${name}`;
    const token = await issuer.issue({ userId, name, roles: ['user'], sessionId: randomUUID() });
    return { ...token, userId, name };
  }

  /**
   * Exchanges a refresh token for a new pair of tokens. If the answer is lost, the client may repeat the call with the same `retryKey`; an empty
   * `retryKey` allows no repetition. A second use of a refresh token ends its session.
   */
  async refresh(refreshToken: string, device: Device, retryKey = ''): Promise<SignedIn> {
    const { accounts, onSessionsEnded } = this.#deps;
    const next = newRefreshToken();
    const refreshExpiresAt = this.#refreshExpiry();
    try {
      const { sessionId, account } = await accounts.refresh(digest(refreshToken), {
        refreshTokenHash: digest(next),
        retryKeyHash: retryKey === '' ? undefined : digest(retryKey),
        expiresAt: refreshExpiresAt,
        device,
      });
      return await this.#signedIn(account, { sessionId, refreshToken: next, refreshExpiresAt });
    } catch (error) {
      if (error instanceof ChatError && error.reason === 'REFRESH_TOKEN_REUSED') await onSessionsEnded();
      throw error;
    }
  }

  async logout({ userId, sessionId, tokenExpiresAt }: Principal): Promise<void> {
    const { accounts, onSessionsEnded } = this.#deps;
    if (sessionId === undefined) throw notAnAccount();
    const ended = await accounts.endSession(userId, sessionId, 'LOGGED_OUT');
    // A guest's session is stored only when it ends.
    if (!ended) await accounts.recordEnd(userId, sessionId, tokenExpiresAt);
    await onSessionsEnded();
  }

  async changePassword(
    { userId, name, sessionId }: Principal,
    { currentPassword, newPassword }: { currentPassword: string; newPassword: string },
  ): Promise<void> {
    const { accounts, hasher, onSessionsEnded } = this.#deps;
    const account = await accounts.find(userId);
    if (!account) throw notAnAccount();
    await this.#withAttempts(`${userId} changes it`, undefined, async () => {
      if (await hasher.verify(currentPassword, account.passwordHash)) return;
      throw new ChatError('WRONG_PASSWORD', 'the current password is wrong');
    });
    await this.#checkStrength('new_password', newPassword, [userId, name]);
    const passwordHash = await hasher.hash(newPassword);
    await accounts.setPassword(userId, passwordHash, {
      actorId: userId,
      from: account.passwordHash,
      ...(sessionId !== undefined && { keepSessionId: sessionId }),
    });
    await onSessionsEnded();
  }

  listSessions({ userId }: Principal): Promise<AuthSession[]> {
    return this.#deps.accounts.listSessions(userId);
  }

  async revokeSession({ userId }: Principal, sessionId: string): Promise<void> {
    const { accounts, onSessionsEnded } = this.#deps;
    const ended = await accounts.endSession(userId, sessionId, 'REVOKED');
    if (!ended) throw new ChatError('SESSION_NOT_FOUND', 'you have no such session');
    await onSessionsEnded();
  }

  listRevocations(cursor: string | undefined): Promise<{ sessionIds: string[]; cursor: string }> {
    return this.#deps.revocations.listRevocations(cursor);
  }

  listEvents(userId: string | undefined, limit: number, beforeId?: number): Promise<Page<AuthEvent, number>> {
    return this.#deps.accounts.listEvents({ ...(userId !== undefined && { userId }) }, limit, beforeId);
  }

  async keySet(): Promise<PublicKey[]> {
    return (await this.#deps.keys.jwks()).keys as PublicKey[];
  }

  /** Source: OpenID Connect Discovery 1.0, section 3 */
  openIdConfiguration(): { issuer: string; url: string } {
    // Throws if there is no embedded issuer.
    void this.#deps;
    const { issuer, publicUrl } = this.#options;
    return { issuer, url: publicUrl };
  }

  get #deps(): AuthDeps {
    if (this.#embedded) return this.#embedded;
    throw new ChatError('ACCOUNTS_ELSEWHERE', 'this service uses an external OpenID Connect provider: sign in there');
  }

  async #beginSession(userId: string, passwordHash: string, device: Device): Promise<SignedIn> {
    const sessionId = randomUUID();
    const refreshToken = newRefreshToken();
    const refreshExpiresAt = this.#refreshExpiry();
    const account = await this.#deps.accounts.beginSession(userId, {
      id: sessionId,
      passwordHash,
      refreshTokenHash: digest(refreshToken),
      expiresAt: refreshExpiresAt,
      device,
    });
    return this.#signedIn(account, { sessionId, refreshToken, refreshExpiresAt });
  }

  async #signedIn(
    { userId, name, roles }: Account,
    session: Pick<SignedIn, 'sessionId' | 'refreshToken' | 'refreshExpiresAt'>,
  ): Promise<SignedIn> {
    const { sessionId } = session;
    return { ...(await this.#deps.issuer.issue({ userId, name, roles, sessionId })), ...session, userId, name };
  }

  #refreshExpiry(): Date {
    return new Date(Date.now() + this.#options.refreshTtlMs);
  }

  /** Counts an attempt against the limits, even for a name without an account, and resets the counts if it succeeds. */
  async #withAttempts<T>(near: string, everywhere: string | undefined, attempt: () => Promise<T>): Promise<T> {
    const { limiter } = this.#deps;
    await limiter.consume('Password', near);
    if (everywhere !== undefined) await limiter.consume('PasswordOfName', everywhere);
    const result = await attempt();
    await limiter.forget('Password', near);
    if (everywhere !== undefined) await limiter.forget('PasswordOfName', everywhere);
    return result;
  }

  async #checkStrength(field: string, password: string, known: readonly string[]): Promise<void> {
    const description = await this.#deps.policy.findFault(password, known);
    if (description !== undefined) throw invalidFieldsError({ field, description });
  }
}

function newRefreshToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Digests a random secret. A fast digest is safe, because the secret is too random to guess. */
function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function notAnAccount(): ChatError {
  return new ChatError('NOT_AN_ACCOUNT', 'guests have no password and no sessions');
}
