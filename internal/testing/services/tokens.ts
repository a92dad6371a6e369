import { JoseSigningKeys } from '../../client/auth/jose-signing-keys.ts';
import { JoseTokenIssuer, type JoseTokenIssuerOptions } from '../../client/auth/jose-token-issuer.ts';
import type { AccessToken } from '../../client/auth/token-issuer.ts';
import type { TokenRole } from '../../model/principal.ts';
import { PostgresSigningKeyRepository } from '../../repository/postgres/accounts/postgres-signing-key-repository.ts';
import { createDatabase } from '../../repository/postgres/connection/database.ts';

const keysOf = new Map<string, Promise<JoseSigningKeys>>();

/** Issues an access token with any claims, signed with a key of the service that uses the database. Valid for 15 minutes by default. */
export async function issueToken(
  dsn: string,
  subject: { userId: string; name?: string; roles?: TokenRole[] },
  options: Partial<JoseTokenIssuerOptions> = {},
): Promise<AccessToken> {
  const keys = keysOf.get(dsn) ?? readKeys(dsn);
  keysOf.set(dsn, keys);
  const settings = { issuer: 'chat-service', audience: 'chat', ttlMs: 900_000, ...options };
  return new JoseTokenIssuer(await keys, settings).issue({ name: subject.userId, roles: ['user'], ...subject });
}

async function readKeys(dsn: string): Promise<JoseSigningKeys> {
  const database = createDatabase({ dsn, poolSize: 1, statementTimeoutMs: 5_000, onError: () => {} });
  try {
    // The keys must not be read again, because the connection is closed.
    return await JoseSigningKeys.open(new PostgresSigningKeyRepository(database), {
      refreshMs: Number.MAX_SAFE_INTEGER,
    });
  } finally {
    await database.close();
  }
}
