import { describe, expect, test } from 'vitest';
import { type ClaimNames, toPrincipal } from './claims.ts';

const exp = 2_000_000_000;
const claims = { sub: 'alice', exp };
const names: ClaimNames = { nameClaim: 'name', rolesClaim: 'roles', adminRole: 'admin', serviceRole: 'service' };

test('a token names its bearer', () => {
  expect(toPrincipal({ ...claims, name: 'Alice', roles: ['user', 'admin'], sid: 's' })).toEqual({
    userId: 'alice',
    name: 'Alice',
    roles: ['user', 'admin'],
    tokenExpiresAt: new Date(exp * 1_000),
    sessionId: 's',
  });
});

test.each([
  undefined,
  5,
  '',
  'a b',
  'a\tb',
  'a\0b',
  ' a',
  'x'.repeat(129),
  ['alice'],
  { toString: 'alice' },
  'a\u202eb',
  '\ud800',
])('a subject that cannot be a user id is refused: %j', (sub) => {
  expect(() => toPrincipal({ ...claims, sub })).toThrow(expect.objectContaining({ reason: 'TOKEN_INVALID' }));
});

test.each(['auth0|5f7c', 'guest:bob', 'https://id.example.com/u/1', 'Zoë', 'a@b.c', 'x'.repeat(128)])(
  'a subject in the form of common providers is a user id: %s',
  (sub) => {
    expect(toPrincipal({ ...claims, sub }).userId).toBe(sub);
  },
);

test.each([undefined, '', 7, null])('a session id that is not a string is ignored: %j', (sid) => {
  expect(toPrincipal({ ...claims, sid })).not.toHaveProperty('sessionId');
});

test('an expiry beyond the year 9999 becomes the end of 9999', () => {
  expect(toPrincipal({ ...claims, exp: 1e300 }).tokenExpiresAt.getUTCFullYear()).toBe(9999);
});

describe('the name', () => {
  test.each<[unknown, string]>([
    ['Zoë 日本', 'Zoë 日本'],
    ['a\0b\nc\u202ed', 'abcd'],
    ['  Zoë ', 'Zoë'],
    ['x'.repeat(200), 'x'.repeat(128)],
    [`${'x'.repeat(127)}😀`, 'x'.repeat(127)],
  ])('is safe to show to other users: %j', (name, expected) => {
    const { name: shown } = toPrincipal({ ...claims, name });
    expect(shown).toBe(expected);
    expect(shown.isWellFormed()).toBe(true);
  });

  test.each<[object, string]>([
    [{ name: 'Alice', preferred_username: 'al' }, 'Alice'],
    [{ preferred_username: 'al', email: 'alice@example.com' }, 'al'],
    [{ name: '\n', preferred_username: 'al' }, 'al'],
    [{ name: 7, email: 'alice@example.com' }, 'alice'],
    [{}, 'alice'],
  ])('falls back to the user name and then the id, never to the e-mail address: %j', (given, expected) => {
    expect(toPrincipal({ ...claims, ...given }, names).name).toBe(expected);
  });

  test('is read from the configured claim', () => {
    const given = { ...claims, profile: { display: 'Alice' }, email: 'alice@example.com' };
    expect(toPrincipal(given, { ...names, nameClaim: 'profile.display' }).name).toBe('Alice');
    expect(toPrincipal(given, { ...names, nameClaim: 'email' }).name).toBe('alice@example.com');
  });
});

describe('the roles of the embedded issuer', () => {
  test.each<[unknown, string[]]>([
    [undefined, ['user']],
    [
      ['user', 'admin', 'service'],
      ['user', 'admin', 'service'],
    ],
    [['admin', 'root', 7, null, {}], ['admin']],
    [[], []],
    ['admin', ['user']],
    [{ 0: 'admin' }, ['user']],
  ])('are the known ones: %j', (roles, expected) => {
    expect(toPrincipal({ ...claims, roles }).roles).toEqual(expected);
  });
});

describe('the roles of an external issuer', () => {
  const keycloak = { rolesClaim: 'realm_access.roles', adminRole: 'chat-admin', serviceRole: 'chat-bot' };
  const rolesOf = (given: object, changed: Partial<ClaimNames> = {}) =>
    toPrincipal({ ...claims, ...given }, { ...names, ...changed }).roles;

  test.each<[unknown, string[]]>([
    [undefined, ['user']],
    [[], ['user']],
    [['something', 'else'], ['user']],
    [
      ['something', 'admin'],
      ['user', 'admin'],
    ],
    [['service'], ['service']],
    [
      ['service', 'admin'],
      ['user', 'admin', 'service'],
    ],
    ['openid admin', ['user', 'admin']],
    ['service', ['service']],
    ['administrator', ['user']],
    [[['admin']], ['user']],
    [{ 0: 'admin' }, ['user']],
    [7, ['user']],
    [['Admin', 'admin '], ['user']],
  ])('are mapped; every token has the role user, unless it has only service: %j', (roles, expected) => {
    expect(rolesOf({ roles })).toEqual(expected);
  });

  test('are read from the configured claim, by the configured names', () => {
    expect(rolesOf({ realm_access: { roles: ['chat-admin', 'offline_access'] } }, keycloak)).toEqual(['user', 'admin']);
    expect(rolesOf({ realm_access: { roles: ['chat-bot'] } }, keycloak)).toEqual(['service']);
    expect(rolesOf({ roles: ['admin'], realm_access: { roles: ['admin'] } }, keycloak)).toEqual(['user']);
    for (const realm_access of [undefined, null, 'roles', { roles: null }, []]) {
      expect(rolesOf({ realm_access }, keycloak)).toEqual(['user']);
    }
  });

  test('can be in a claim whose name contains dots', () => {
    const rolesClaim = 'https://example.com/roles';
    expect(rolesOf({ [rolesClaim]: ['admin'] }, { rolesClaim })).toEqual(['user', 'admin']);
  });

  test.each(['__proto__', 'constructor.name', 'toString', 'realm_access.__proto__.roles'])(
    'are never inherited properties: %s',
    (rolesClaim) => {
      expect(rolesOf({ realm_access: {} }, { rolesClaim, adminRole: 'Object' })).toEqual(['user']);
    },
  );
});
