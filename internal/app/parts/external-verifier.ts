import { createRemoteKeys, type JoseRemoteKeysOptions } from '../../client/auth/jose-remote-keys.ts';
import { JoseTokenVerifier } from '../../client/auth/jose-token-verifier.ts';
import type { TokenVerifier } from '../../client/auth/token-verifier.ts';
import type { Config } from '../../config/config.ts';
import type { ExternalIssuer } from '../../config/groups/external-issuer-config.ts';

/** Creates a verifier for the tokens of an OpenID Connect provider. It fetches the keys with the first token, so the provider may be away at start. */
export function createExternalVerifier(
  { issuer, audience }: Pick<Config['auth'], 'issuer' | 'audience'>,
  { jwksUrl, algorithms, nameClaim, rolesClaim, adminRole, serviceRole }: ExternalIssuer,
  keys: Partial<JoseRemoteKeysOptions> = {},
): TokenVerifier {
  const claims = { nameClaim, rolesClaim, adminRole, serviceRole };
  return new JoseTokenVerifier(createRemoteKeys(jwksUrl, keys), { issuer, audience, algorithms, claims });
}
