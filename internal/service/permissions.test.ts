import { describe, expect, test } from 'vitest';
import type { ChatType } from '../model/chat.ts';
import type { ErrorReason } from '../model/errors.ts';
import { type ChatRole, chatRoles } from '../model/member.ts';
import type { Principal, TokenRole } from '../model/principal.ts';
import {
  authorizeChat,
  authorizeOver,
  authorizeToken,
  findPermission,
  type Method,
  permissions,
} from './permissions.ts';

const tokenRoles: readonly TokenRole[] = ['user', 'admin', 'service'];
const chatTypes: readonly ChatType[] = ['DIRECT', 'GROUP', 'ROOM'];

/** Which token roles may use a method at all; written apart from the table, so that a change is made twice. */
const byToken: Record<Method, readonly TokenRole[] | 'without a token'> = {
  Register: 'without a token',
  Login: 'without a token',
  Guest: 'without a token',
  Refresh: 'without a token',
  GetKeySet: 'without a token',
  GetOpenIdConfiguration: 'without a token',
  ListRevocations: 'without a token',
  Logout: ['user', 'admin', 'service'],
  GetMe: ['user', 'admin', 'service'],
  ChangePassword: ['user', 'admin', 'service'],
  ListSessions: ['user', 'admin', 'service'],
  RevokeSession: ['user', 'admin', 'service'],
  ListAuthEvents: ['admin'],
  CreateChat: ['user', 'admin', 'service'],
  GetChat: ['user', 'admin', 'service'],
  ListChats: ['user', 'admin', 'service'],
  DeleteChat: ['user', 'admin', 'service'],
  AddMembers: ['user', 'admin', 'service'],
  ListMembers: ['user', 'admin', 'service'],
  UpdateMember: ['user', 'admin', 'service'],
  RemoveMember: ['user', 'admin', 'service'],
  BanMember: ['user', 'admin', 'service'],
  UnbanMember: ['user', 'admin', 'service'],
  ListBans: ['user', 'admin', 'service'],
  LeaveChat: ['user', 'admin', 'service'],
  ListRooms: ['user', 'admin', 'service'],
  JoinRoom: ['user', 'admin', 'service'],
  SendMessage: ['user', 'admin', 'service'],
  GetMessage: ['user', 'admin', 'service'],
  ListMessages: ['user', 'admin', 'service'],
  ListOnlineUsers: ['user', 'admin', 'service'],
  BanUser: ['admin'],
  UnbanUser: ['admin'],
  ListBannedUsers: ['admin'],
  ListAuditEvents: ['admin'],
  ConnectChat: ['user', 'admin', 'service'],
  Subscribe: ['user', 'admin', 'service'],
  SubscribeAll: ['user', 'admin', 'service'],
  MarkRead: ['user', 'admin', 'service'],
  SendTyping: ['user', 'admin', 'service'],
};

/**
 * For each method that names a chat, who may use it: a column for READER, MEMBER, ADMIN, OWNER, a stranger in a room, a
 * stranger elsewhere, a stranger whose token says admin, and one whose token says service. `+` may; `r` ROLE_TOO_LOW; `m`
 * NOT_A_MEMBER; `?` CHAT_NOT_FOUND; `-` no more than a user.
 */
const byChat: Partial<Record<Method, string>> = {
  GetChat: '+++++?++',
  DeleteChat: 'rrr+m?++',
  AddMembers: 'rr++m?++',
  ListMembers: '+++++?++',
  UpdateMember: 'rr++m?++',
  RemoveMember: 'rr++m?++',
  BanMember: 'rr++m?++',
  UnbanMember: 'rr++m?++',
  ListBans: 'rr++m?++',
  LeaveChat: '++++m?--',
  SendMessage: 'r+++m?-+',
  GetMessage: '++++m?--',
  ListMessages: '++++m?--',
  ListOnlineUsers: '+++++?++',
  Subscribe: '++++m?--',
  MarkRead: '++++m?--',
  SendTyping: 'r+++m?--',
};

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

function expected(row: string, tokenRole: TokenRole, type: ChatType, role: ChatRole | undefined): ErrorReason | 'may' {
  // Such a token either opens everything or nothing that the role in the chat does not.
  if (tokenRole === 'admin' && row[6] === '+') return 'may';
  if (tokenRole === 'service' && row[7] === '+') return 'may';
  const column = role ? chatRoles.indexOf(role) : type === 'ROOM' ? 4 : 5;
  const outcomes = { '+': 'may', r: 'ROLE_TOO_LOW', m: 'NOT_A_MEMBER', '?': 'CHAT_NOT_FOUND' } as const;
  return outcomes[row[column] as keyof typeof outcomes];
}

test('the expectations name every method', () => {
  expect(Object.keys(byToken).sort()).toEqual(Object.keys(permissions).sort());
  const withChat = Object.entries(permissions).filter(([, permission]) => 'chat' in permission);
  expect(Object.keys(byChat).sort()).toEqual(withChat.map(([method]) => method).sort());
});

describe.each(Object.keys(byToken) as Method[])('%s', (method) => {
  test.each([...tokenRoles, undefined])('with the token role %s', (role) => {
    const allowed = byToken[method];
    const may = allowed === 'without a token' || (role !== undefined && allowed.includes(role));
    expect(outcome(() => authorizeToken(method, principal(...(role ? [role] : []))))).toBe(
      may ? 'may' : 'METHOD_NOT_ALLOWED',
    );
  });

  const row = byChat[method];
  if (!row) return;
  const cases = tokenRoles.flatMap((tokenRole) =>
    chatTypes.flatMap((type) => [...chatRoles, undefined].map((role) => ({ tokenRole, type, role }))),
  );
  test.each(cases)('with the token role $tokenRole in a $type as $role', ({ tokenRole, type, role }) => {
    const given = outcome(() =>
      authorizeChat(method as Parameters<typeof authorizeChat>[0], principal(tokenRole), type, role),
    );
    expect(given).toBe(expected(row, tokenRole, type, role));
  });
});

test.each(['', 'Nothing', 'toString', '__proto__', 'constructor', 'sendMessage'])(
  'nobody may use what is not in the table: %s',
  (method) => {
    expect(findPermission(method)).toBeUndefined();
    expect(outcome(() => authorizeToken(method, principal('user', 'admin', 'service')))).toBe('METHOD_NOT_ALLOWED');
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

  /** For an administrator of a chat: a column for a target that is READER, MEMBER, ADMIN, OWNER, no member. */
  test.each(['UpdateMember', 'RemoveMember', 'BanMember'] as const)('%s reaches only those below', (method) => {
    const outcomes = (role: ChatRole, tokenRole: TokenRole = 'user') =>
      roles.map((target) => (check(method, tokenRole, [role, target]) === 'may' ? '+' : 'r')).join('');
    expect(outcomes('ADMIN')).toBe('++rr+');
    expect(outcomes('OWNER')).toBe('+++++');
    expect(outcomes('MEMBER')).toBe('rrrrr');
    expect(outcomes('ADMIN', 'admin')).toBe('+++++');
    expect(outcomes('READER', 'service')).toBe('+++++');
  });

  test('a role can only be given by somebody above it', () => {
    const given = (role: ChatRole, tokenRole: TokenRole = 'user') =>
      chatRoles
        .map((newRole) => (check('UpdateMember', tokenRole, [role, 'MEMBER', newRole]) === 'may' ? '+' : 'r'))
        .join('');
    expect(given('ADMIN')).toBe('++rr');
    expect(given('OWNER')).toBe('++++');
    expect(given('ADMIN', 'admin')).toBe('++++');
  });
});

test('a refusal does not tell a stranger whether a private chat exists', () => {
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
