import { ChatError } from '../../model/errors.ts';
import type { Principal, TokenRole } from '../../model/principal.ts';

/** The names by which an external issuer calls claims and roles. */
export interface ClaimNames {
  /** The claims with the display name and the roles. A dot leads into an object: `realm_access.roles`. */
  nameClaim: string;
  rolesClaim: string;
  adminRole: string;
  serviceRole: string;
}

type Claims = Readonly<Record<string, unknown>>;

const subject = /^[^\p{C}\s]{1,128}$/u;
const maxNameLength = 128;
/** The end of the year 9999, in seconds since 1970. A protobuf Timestamp cannot be later. */
const maxExpirySeconds = 253_402_300_799;

/**
 * Reads the principal from a token's claims. Without `names` the roles are those of the embedded issuer. With `names` they are mapped from an external
 * issuer's; its users always have the role `user`, unless they have only `service`. Throws ChatError (TOKEN_INVALID) if `sub` cannot be a user id.
 */
export function toPrincipal(claims: Claims, names?: ClaimNames): Principal {
  const { sub, exp, sid } = claims;
  if (typeof sub !== 'string' || !subject.test(sub)) {
    throw new ChatError('TOKEN_INVALID', "the access token's subject cannot be a user id");
  }
  return {
    userId: sub,
    name: nameOf(claims, names?.nameClaim ?? 'name'),
    roles: names ? mappedRoles(claims, names) : ownRoles(claims),
    tokenExpiresAt: new Date(Math.min(Number(exp), maxExpirySeconds) * 1_000),
    ...(typeof sid === 'string' && sid !== '' ? { sessionId: sid } : {}),
  };
}

/** Returns the display name. Never falls back to the claim `email`: other users see the name. */
function nameOf(claims: Claims, nameClaim: string): string {
  for (const claim of [nameClaim, 'preferred_username', 'sub']) {
    const value = find(claims, claim);
    const name = typeof value === 'string' ? value.slice(0, maxNameLength).replace(/\p{C}/gu, '').trim() : '';
    if (name !== '') return name;
  }
  return '';
}

function ownRoles(claims: Claims): TokenRole[] {
  const known: readonly string[] = ['user', 'admin', 'service'] satisfies TokenRole[];
  if (!Array.isArray(claims.roles)) return ['user'];
  return listed(claims.roles).filter((role): role is TokenRole => known.includes(role));
}

function mappedRoles(claims: Claims, { rolesClaim, adminRole, serviceRole }: ClaimNames): TokenRole[] {
  const roles = listed(find(claims, rolesClaim));
  const [admin, service] = [roles.includes(adminRole), roles.includes(serviceRole)];
  if (admin) return service ? ['user', 'admin', 'service'] : ['user', 'admin'];
  return service ? ['service'] : ['user'];
}

/** Returns the strings in a list, or the words of a string that are separated by spaces, as in `scope` (RFC 6749). */
function listed(value: unknown): string[] {
  if (typeof value === 'string') return value.split(' ').filter((word) => word !== '');
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

/** Returns the claim named `path`, else the value at `path` as names separated by dots. */
function find(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Claims)[name];
  }
  return value;
}
