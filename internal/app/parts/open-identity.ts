import type { Logger } from 'pino';
import { JoseSigningKeys } from '../../client/auth/jose-signing-keys.ts';
import { JoseTokenIssuer } from '../../client/auth/jose-token-issuer.ts';
import { JoseTokenVerifier } from '../../client/auth/jose-token-verifier.ts';
import type { TokenVerifier } from '../../client/auth/token-verifier.ts';
import type { Config } from '../../config/config.ts';
import type { LiveConfig } from '../../config/live/live-config.ts';
import type { RateLimiter } from '../../ratelimiter/rate-limiter.ts';
import type { AccountRepository } from '../../repository/account-repository.ts';
import type { BanRepository } from '../../repository/ban-repository.ts';
import { PostgresAccountRepository } from '../../repository/postgres/accounts/postgres-account-repository.ts';
import { PostgresRevocationSource } from '../../repository/postgres/accounts/postgres-revocation-source.ts';
import { PostgresSigningKeyRepository } from '../../repository/postgres/accounts/postgres-signing-key-repository.ts';
import type { Database } from '../../repository/postgres/connection/database.ts';
import { AuthService } from '../../service/accounts/auth-service.ts';
import type { Revocations } from '../../service/accounts/revocations.ts';
import { pruneRegularly } from '../lifecycle/prune.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';
import { createExternalVerifier } from './external-verifier.ts';
import { openPasswords } from './open-passwords.ts';
import { openRevocations } from './open-revocations.ts';

/** Identifies callers, and says which tokens and sessions have been revoked. */
export interface Identity {
  verifier: TokenVerifier;
  revocations: Revocations;
  authService: AuthService;
  /** Absent: the accounts are of another issuer. */
  accounts: AccountRepository | undefined;
}

interface Deps {
  database: Database;
  /** Absent in an auth-server, which has no bans. */
  bans?: BanRepository;
  limiter: RateLimiter;
  log: Logger;
  resources: ResourceStack;
}

/** How old sessions are removed: rows of one statement, and the time between two rounds in milliseconds. */
const pruning = { batch: 1_000, everyMs: 600_000 };

/** Opens the embedded issuer with its accounts, or a verifier for the tokens of the issuer at AUTH_JWKS_URL. */
export async function openIdentity(
  live: LiveConfig<Config>,
  { database, bans, limiter, log, resources }: Deps,
): Promise<Identity> {
  const config = live.current;
  const { auth } = config;
  const options = live.follow(({ auth, http }) => ({ ...auth, publicUrl: http.publicUrl }));
  if (auth.external) {
    const verifier = createExternalVerifier(auth, auth.external);
    const revocations = await openRevocations(config, { sessions: undefined, bans, log, resources });
    return { verifier, revocations, authService: new AuthService(undefined, options), accounts: undefined };
  }
  const keys = await JoseSigningKeys.open(new PostgresSigningKeyRepository(database));
  const verifier = new JoseTokenVerifier(keys.find, { ...auth, algorithms: ['EdDSA'] });
  const sessions = new PostgresRevocationSource(database, auth);
  const revocations = await openRevocations(config, { sessions, bans, log, resources });
  const accounts = new PostgresAccountRepository(database);
  const prune = (limit: number) => accounts.prune(limit);
  resources.add('the pruning of sessions', pruneRegularly({ what: 'old sessions', prune, ...pruning, log }));
  const authService = new AuthService(
    {
      accounts,
      issuer: new JoseTokenIssuer(keys, { ...auth, ttlMs: auth.tokenTtlMs }),
      keys,
      ...openPasswords(),
      limiter,
      revocations: sessions,
      onSessionsEnded: () => revocations.refresh('sessions'),
    },
    options,
  );
  return { verifier, revocations, authService, accounts };
}
