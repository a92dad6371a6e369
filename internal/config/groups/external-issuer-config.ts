import type { EnvReader } from '../reading/env-reader.ts';

/** An issuer of access tokens elsewhere, and how its tokens are read. */
export interface ExternalIssuer {
  /** Where its public keys are (RFC 7517). */
  jwksUrl: string;
  /** The signature algorithms that are accepted. */
  algorithms: string[];
  /** The claims that hold the display name and the roles; dots lead into objects. */
  nameClaim: string;
  rolesClaim: string;
  /** What the issuer calls the roles `admin` and `service`. */
  adminRole: string;
  serviceRole: string;
  /** Where an auth-server lists the sessions that have ended. */
  revocationsUrl: string | undefined;
}

/** Undefined without AUTH_JWKS_URL. */
export function readExternalIssuer(read: EnvReader): ExternalIssuer | undefined {
  const jwksUrl = read.url('AUTH_JWKS_URL', ['http:', 'https:']);
  const external = {
    algorithms: read.list(
      'AUTH_ALGORITHMS',
      ['RS256', 'PS256', 'ES256', 'EdDSA'],
      /^((RS|PS|ES)(256|384|512)|EdDSA)$/,
      'signature algorithms such as RS256, ES256, EdDSA',
    ),
    nameClaim: read.string('AUTH_NAME_CLAIM', 'name'),
    rolesClaim: read.string('AUTH_ROLES_CLAIM', 'roles'),
    adminRole: read.string('AUTH_ADMIN_ROLE', 'admin'),
    serviceRole: read.string('AUTH_SERVICE_ROLE', 'service'),
    revocationsUrl: read.url('AUTH_REVOCATIONS_URL', ['http:', 'https:']),
  };
  for (const [name, url] of Object.entries({
    AUTH_JWKS_URL: jwksUrl,
    AUTH_REVOCATIONS_URL: external.revocationsUrl,
  })) {
    const { username, password } = URL.parse(url ?? '') ?? {};
    read.require(!username && !password, `${name} must be without user and password: they would not be used`);
  }
  if (jwksUrl === undefined) return undefined;
  for (const name of ['AUTH_ISSUER', 'AUTH_AUDIENCE']) {
    read.require(read.optional(name) !== undefined, `${name} must be set together with AUTH_JWKS_URL`);
  }
  return { jwksUrl, ...external };
}
