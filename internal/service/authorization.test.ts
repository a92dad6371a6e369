import { describe, expect, test } from 'vitest';
import type { ChatType } from '../model/chat.ts';
import type { ErrorReason } from '../model/errors.ts';
import { type ChatRole, chatRoles } from '../model/member.ts';
import { type ChatOperation, type Operation, operations, type Permission } from '../model/operations.ts';
import type { Principal, TokenRole } from '../model/principal.ts';
import { authorizeChat, authorizeOver, authorizeToken, findPermission } from './authorization.ts';

const tokenRoles: readonly TokenRole[] = ['user', 'admin', 'service'];
const chatTypes: readonly ChatType[] = ['DIRECT', 'GROUP', 'ROOM'];
const all = Object.keys(operations) as Operation[];

function principal(...roles: TokenRole[]): Principal {
  return { userId: 'alice', name: '', roles, tokenExpiresAt: new Date() };
}

function outcome(check: () => void): ErrorReason | 'may' {
  try {
    check();
    return 'may';
  } catch (error) {
    return (error as { reason: ErrorReason }).reason;
  }
}

/** The outcome that the operation's row demands, computed independently of the code under test. */
function expected(
  { roles, openRooms, admins, services }: NonNullable<Permission['chat']>,
  tokenRole: TokenRole,
  type: ChatType,
  role: ChatRole | undefined,
): ErrorReason | 'may' {
  if ((tokenRole === 'admin' && admins) || (tokenRole === 'service' && services)) return 'may';
  if (role) return roles.includes(role) ? 'may' : 'ROLE_TOO_LOW';
  if (type !== 'ROOM') return 'CHAT_NOT_FOUND';
  return openRooms ? 'may' : 'NOT_A_MEMBER';
}

describe.each(all)('%s', (operation) => {
  const permission: Permission = operations[operation];

  test.each([...tokenRoles, undefined])('with the token role %s', (role) => {
    const may = permission.token === 'anyone' || (role !== undefined && permission.token.includes(role));
    expect(outcome(() => authorizeToken(operation, principal(...(role ? [role] : []))))).toBe(
      may ? 'may' : 'METHOD_NOT_ALLOWED',
    );
  });

  const { chat } = permission;
  if (!chat) return;
  const cases = tokenRoles.flatMap((tokenRole) =>
    chatTypes.flatMap((type) => [...chatRoles, undefined].map((role) => ({ tokenRole, type, role }))),
  );
  test.each(cases)('with the token role $tokenRole in a $type as $role', ({ tokenRole, type, role }) => {
    const given = outcome(() => authorizeChat(operation as ChatOperation, principal(tokenRole), type, role));
    expect(given).toBe(expected(chat, tokenRole, type, role));
  });
});

/** Permissions that a mistake in the table must not change: who can do harm, and who can read. */
test.each<[ChatOperation, TokenRole, ChatType, ChatRole | undefined, ErrorReason | 'may']>([
  ['SendMessage', 'user', 'GROUP', 'READER', 'ROLE_TOO_LOW'],
  ['SendMessage', 'user', 'GROUP', 'MEMBER', 'may'],
  ['SendMessage', 'user', 'ROOM', undefined, 'NOT_A_MEMBER'],
  ['SendMessage', 'admin', 'GROUP', undefined, 'CHAT_NOT_FOUND'],
  ['SendMessage', 'service', 'GROUP', undefined, 'may'],
  ['SendTyping', 'user', 'GROUP', 'READER', 'ROLE_TOO_LOW'],
  ['ListMessages', 'user', 'GROUP', 'READER', 'may'],
  ['ListMessages', 'user', 'ROOM', undefined, 'NOT_A_MEMBER'],
  ['ListMessages', 'admin', 'GROUP', undefined, 'CHAT_NOT_FOUND'],
  ['ListMessages', 'service', 'ROOM', undefined, 'NOT_A_MEMBER'],
  ['GetMessage', 'service', 'GROUP', undefined, 'CHAT_NOT_FOUND'],
  ['Subscribe', 'admin', 'GROUP', undefined, 'CHAT_NOT_FOUND'],
  ['GetChat', 'user', 'ROOM', undefined, 'may'],
  ['GetChat', 'user', 'DIRECT', undefined, 'CHAT_NOT_FOUND'],
  ['AddMembers', 'user', 'GROUP', 'MEMBER', 'ROLE_TOO_LOW'],
  ['RemoveMember', 'user', 'GROUP', 'MEMBER', 'ROLE_TOO_LOW'],
  ['UpdateMember', 'user', 'GROUP', 'MEMBER', 'ROLE_TOO_LOW'],
  ['BanMember', 'user', 'GROUP', 'ADMIN', 'may'],
  ['BanMember', 'user', 'GROUP', 'MEMBER', 'ROLE_TOO_LOW'],
  ['DeleteChat', 'user', 'GROUP', 'ADMIN', 'ROLE_TOO_LOW'],
  ['DeleteChat', 'user', 'GROUP', 'OWNER', 'may'],
  ['DeleteChat', 'admin', 'GROUP', undefined, 'may'],
])('%s with the token role %s in a %s as %s: %s', (operation, tokenRole, type, role, reason) => {
  expect(outcome(() => authorizeChat(operation, principal(tokenRole), type, role))).toBe(reason);
});

test('only administrators may use operations on the whole service', () => {
  const ofAdmins = all.filter((operation) => !(operations[operation].token as readonly string[]).includes('user'));
  expect(ofAdmins.filter((operation) => (operations[operation] as Permission).token !== 'anyone').sort()).toEqual(
    ['BanUser', 'ListAuditEvents', 'ListAuthEvents', 'ListBannedUsers', 'UnbanUser'].sort(),
  );
});

test.each(['', 'Nothing', 'toString', '__proto__', 'constructor', 'sendMessage'])(
  'nobody may use an operation that is not in the table: %s',
  (operation) => {
    expect(findPermission(operation)).toBeUndefined();
    expect(outcome(() => authorizeToken(operation, principal('user', 'admin', 'service')))).toBe('METHOD_NOT_ALLOWED');
  },
);

describe('over another member', () => {
  const roles = [...chatRoles, undefined] as const;
  const check = (
    method: Parameters<typeof authorizeOver>[0],
    tokenRole: TokenRole,
    [role, targetRole, newRole]: readonly (ChatRole | undefined)[],
  ) =>
    outcome(() =>
      authorizeOver(method, principal(tokenRole), { chat: { id: '', type: 'GROUP' }, role, targetRole }, newRole),
    );

  /** The outcomes for an administrator of a chat, by the target's role: READER, MEMBER, ADMIN, OWNER, not a member. */
  test.each(['UpdateMember', 'RemoveMember', 'BanMember'] as const)(
    '%s is allowed only on members with a lower role',
    (method) => {
      const outcomes = (role: ChatRole, tokenRole: TokenRole = 'user') =>
        roles.map((target) => (check(method, tokenRole, [role, target]) === 'may' ? '+' : 'r')).join('');
      expect(outcomes('ADMIN')).toBe('++rr+');
      expect(outcomes('OWNER')).toBe('+++++');
      expect(outcomes('MEMBER')).toBe('rrrrr');
      expect(outcomes('ADMIN', 'admin')).toBe('+++++');
      expect(outcomes('READER', 'service')).toBe('+++++');
    },
  );

  test('a role can be given only by a caller with a higher role', () => {
    const given = (role: ChatRole, tokenRole: TokenRole = 'user') =>
      chatRoles
        .map((newRole) => (check('UpdateMember', tokenRole, [role, 'MEMBER', newRole]) === 'may' ? '+' : 'r'))
        .join('');
    expect(given('ADMIN')).toBe('++rr');
    expect(given('OWNER')).toBe('++++');
    expect(given('ADMIN', 'admin')).toBe('++++');
  });
});

test('a refusal does not reveal whether a private chat exists', () => {
  const refusals = (['DIRECT', 'GROUP'] as const).map((type) => {
    try {
      return authorizeChat('SendMessage', principal('user'), type);
    } catch (error) {
      const { code, reason, message } = error as { code: string; reason: string; message: string };
      return { code, reason, message };
    }
  });
  expect(refusals).toEqual(
    refusals.map(() => ({ code: 'NOT_FOUND', reason: 'CHAT_NOT_FOUND', message: 'there is no such chat' })),
  );
});
