import { ChatError } from '../../model/errors.ts';
import type { Principal, TokenRole } from '../../model/principal.ts';

/** What an outside issuer calls things. */
export interface ClaimNames {
  /** The claims that hold the display name and the roles; dots lead into objects. */
  nameClaim: string;
  rolesClaim: string;
  adminRole: string;
  serviceRole: string;
}

type Claims = Readonly<Record<string, unknown>>;

const subject = /^[^\p{C}\s]{1,128}$/u;
const maxNameLength = 128;
/** The end of the year 9999: beyond it there are no timestamps on the wire. */
const maxExpirySeconds = 253_402_300_799;

/**
 * Who a token's bearer is by its claims. The roles are those that the embedded issuer gave; with `names`, those of an outside issuer, whose
 * users are at least `user` unless they are `service` alone. Throws UNAUTHENTICATED (TOKEN_INVALID).
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

/** Never the e-mail address unless it is asked for: others see the name. */
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

/** A list of texts, or a text with spaces between them, as in `scope` (RFC 6749). */
function listed(value: unknown): string[] {
  if (typeof value === 'string') return value.split(' ').filter((word) => word !== '');
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

/** The claim of this name, or else what the path of names with dots between them leads to. */
function find(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Claims)[name];
  }
  return value;
}
