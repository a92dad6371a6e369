import { JoseSigningKeys } from '../../client/auth/jose-signing-keys.ts';
import { JoseTokenIssuer, type JoseTokenIssuerOptions } from '../../client/auth/jose-token-issuer.ts';
import type { AccessToken } from '../../client/auth/token-issuer.ts';
import type { TokenRole } from '../../model/principal.ts';
import { PostgresSigningKeyRepository } from '../../repository/postgres/accounts/postgres-signing-key-repository.ts';
import { createDatabase } from '../../repository/postgres/connection/database.ts';

/** Any access token, signed with the key of the service that uses the database. Valid for 15 minutes unless told otherwise. */
export async function issueToken(
  dsn: string,
  subject: { userId: string; name?: string; roles?: TokenRole[] },
  options: Partial<JoseTokenIssuerOptions> = {},
): Promise<AccessToken> {
  const database = createDatabase({ dsn, poolSize: 2, statementTimeoutMs: 5_000, onError: () => {} });
  try {
    const settings = { issuer: 'chat-service', audience: 'chat', ttlMs: 900_000, ...options };
    const keys = await JoseSigningKeys.open(new PostgresSigningKeyRepository(database));
    const issuer = new JoseTokenIssuer(keys, settings);
    return await issuer.issue({ name: subject.userId, roles: ['user'], ...subject });
  } finally {
    await database.close();
  }
}
