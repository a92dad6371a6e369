import { describe, expect, test } from 'vitest';
import { type ChatRole, type ChatType, chatRoles } from '../model/chat.ts';
import type { ErrorReason } from '../model/errors.ts';
import type { Principal, TokenRole } from '../model/principal.ts';
import { authorizeChat, authorizeToken, findPermission, type Method, permissions } from './permissions.ts';

const tokenRoles: readonly TokenRole[] = ['user', 'admin', 'service'];
const chatTypes: readonly ChatType[] = ['DIRECT', 'GROUP', 'ROOM'];

/** Which token roles may use a method at all; written apart from the table, so that a change is made twice. */
const byToken: Record<Method, readonly TokenRole[] | 'without a token'> = {
  Guest: 'without a token',
  CreateChat: ['user', 'admin', 'service'],
  GetChat: ['user', 'admin', 'service'],
  ListChats: ['user', 'admin', 'service'],
  DeleteChat: ['user', 'admin', 'service'],
  AddMembers: ['user', 'admin', 'service'],
  ListMembers: ['user', 'admin', 'service'],
  RemoveMember: ['user', 'admin', 'service'],
  LeaveChat: ['user', 'admin', 'service'],
  ListRooms: ['user', 'admin', 'service'],
  JoinRoom: ['user', 'admin', 'service'],
  SendMessage: ['user', 'admin', 'service'],
  GetMessage: ['user', 'admin', 'service'],
  ListMessages: ['user', 'admin', 'service'],
  ListOnlineUsers: ['user', 'admin', 'service'],
  ConnectChat: ['user', 'admin', 'service'],
  Subscribe: ['user', 'admin', 'service'],
  SubscribeAll: ['user', 'admin', 'service'],
};

/**
 * For each method that names a chat, who may use it: a column for READER, MEMBER, ADMIN, OWNER, a stranger in a room, a
 * stranger elsewhere, and a stranger whose token says admin. `+` may; `r` ROLE_TOO_LOW; `m` NOT_A_MEMBER; `?` CHAT_NOT_FOUND.
 */
const byChat: Partial<Record<Method, string>> = {
  GetChat: '+++++?+',
  DeleteChat: 'rrr+m?+',
  AddMembers: 'rr++m?+',
  ListMembers: '+++++?+',
  RemoveMember: 'rr++m?+',
  LeaveChat: '++++m?-',
  SendMessage: 'r+++m?-',
  GetMessage: '++++m?-',
  ListMessages: '++++m?-',
  ListOnlineUsers: '+++++?+',
  Subscribe: '++++m?-',
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
  // An administrator's token either opens everything or nothing that the role in the chat does not.
  if (tokenRole === 'admin' && row[6] === '+') return 'may';
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
