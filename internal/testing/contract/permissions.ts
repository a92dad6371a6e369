import { beforeAll, describe, expect, test } from 'vitest';
import { ChatRole, ChatType } from '../../../pkg/api/chat/v1/chat.ts';
import { errorFromStatus } from '../../../pkg/chat-client/errors/status.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { chatRoles, type ChatRole as Role } from '../../model/member.ts';
import type { TokenRole } from '../../model/principal.ts';
import { type Method, type Permission, permissions } from '../../service/permissions.ts';
import { type Person, uniqueName } from '../clients/person.ts';
import { type CommandBody, commands } from '../clients/stream-probe.ts';
import { type Issue, personWith } from './issue.ts';

type Outcome = 'may' | 'METHOD_NOT_ALLOWED' | 'NOT_A_MEMBER' | 'ROLE_TOO_LOW' | 'CHAT_NOT_FOUND';
type Uses = Partial<Record<Method, (caller: Person, chatId: string) => Promise<unknown>>>;

const tokenRoles = ['user', 'admin', 'service'] as const satisfies TokenRole[];
const userId = 'u-below';

/** One use of each method that names a chat; `u-below` is a reader in it. */
const uses: Uses = {
  GetChat: ({ chat }, chatId) => chat.getChat({ chatId }),
  DeleteChat: ({ chat }, chatId) => chat.deleteChat({ chatId }),
  AddMembers: ({ chat }, chatId) => chat.addMembers({ chatId, userIds: ['u-new'] }),
  ListMembers: ({ chat }, chatId) => chat.listMembers({ chatId }),
  UpdateMember: ({ chat }, chatId) => chat.updateMember({ chatId, userId, role: ChatRole.MEMBER }),
  RemoveMember: ({ chat }, chatId) => chat.removeMember({ chatId, userId }),
  BanMember: ({ chat }, chatId) => chat.banMember({ chatId, userId }),
  UnbanMember: ({ chat }, chatId) => chat.unbanMember({ chatId, userId: 'u-banned' }),
  ListBans: ({ chat }, chatId) => chat.listBans({ chatId }),
  LeaveChat: ({ chat }, chatId) => chat.leaveChat({ chatId }),
  SendMessage: ({ chat }, chatId) => chat.sendMessage({ chatId, text: 'x', clientMessageId: crypto.randomUUID() }),
  GetMessage: async ({ chat }, chatId) =>
    chat.getMessage({ chatId, messageId: crypto.randomUUID() }).catch((error: { reason: string }) => {
      if (error.reason !== 'MESSAGE_NOT_FOUND') throw error;
    }),
  ListMessages: ({ chat }, chatId) => chat.listMessages({ chatId }),
  ListOnlineUsers: ({ chat }, chatId) => chat.listOnlineUsers({ chatId }),
  MarkRead: ({ chat }, chatId) => chat.markRead({ chatId, seq: 1 }),
  Subscribe: (caller, chatId) => askOnStream(caller, commands.subscribe(chatId)),
  SendTyping: (caller, chatId) => askOnStream(caller, commands.typing(chatId)),
};

async function askOnStream(caller: Person, command: CommandBody): Promise<void> {
  const stream = await caller.connect();
  const answer = await stream.ask(command);
  stream.close();
  if (answer.$case === 'rejected') throw errorFromStatus(answer.value.status!);
}

/** What a path cannot be without. Everything else is left out: what is wrong with a request is told after what is not allowed. */
const inPath: Partial<Record<Method, object>> = {
  JoinRoom: { name: 'permissions' },
  BanUser: { userId: 'u-banned' },
  UnbanUser: { userId: 'u-banned' },
  RevokeSession: { sessionId: crypto.randomUUID() },
};

/** What the table says. */
function expected(method: Method, tokenRole: TokenRole, type: 'GROUP' | 'ROOM', role: Role | undefined): Outcome {
  const { token, chat }: Permission = permissions[method];
  if (token !== 'anyone' && !token.includes(tokenRole)) return 'METHOD_NOT_ALLOWED';
  if (!chat || (chat.admins && tokenRole === 'admin') || (chat.services && tokenRole === 'service')) return 'may';
  if (role) return chat.roles.includes(role) ? 'may' : 'ROLE_TOO_LOW';
  if (type === 'GROUP') return 'CHAT_NOT_FOUND';
  return chat.openRooms ? 'may' : 'NOT_A_MEMBER';
}

/** What the permissions table says, rows that nobody may change without meaning to. */
const literal: [Method, TokenRole, 'GROUP' | 'ROOM', Role | undefined, Outcome][] = [
  ['SendMessage', 'user', 'GROUP', 'READER', 'ROLE_TOO_LOW'],
  ['SendMessage', 'user', 'ROOM', undefined, 'NOT_A_MEMBER'],
  ['SendMessage', 'admin', 'GROUP', undefined, 'CHAT_NOT_FOUND'],
  ['SendMessage', 'service', 'GROUP', undefined, 'may'],
  ['ListMessages', 'admin', 'GROUP', undefined, 'CHAT_NOT_FOUND'],
  ['ListMessages', 'service', 'ROOM', undefined, 'NOT_A_MEMBER'],
  ['BanMember', 'user', 'GROUP', 'MEMBER', 'ROLE_TOO_LOW'],
  ['BanMember', 'user', 'GROUP', 'ADMIN', 'may'],
  ['DeleteChat', 'user', 'GROUP', 'ADMIN', 'ROLE_TOO_LOW'],
  ['DeleteChat', 'admin', 'GROUP', undefined, 'may'],
  ['BanUser', 'service', 'GROUP', undefined, 'METHOD_NOT_ALLOWED'],
  ['ListAuditEvents', 'user', 'GROUP', 'OWNER', 'METHOD_NOT_ALLOWED'],
];

/** What every transport must enforce: the permissions table, each method with each token role and each role in a chat. */
export function permissionsContract(open: () => Transport, issue: Issue): void {
  describe('permissions', () => {
    let backend: Person;
    beforeAll(async () => {
      backend = await personWith(open(), issue, 'service');
    });

    /** A chat that the caller has the role in; without one, is no member of. */
    async function chatWith({ id }: Person, type: 'GROUP' | 'ROOM', role: Role | undefined): Promise<string> {
      const memberIds = ['u-owner', userId, ...(role ? [id] : [])];
      const created = await backend.chat.createChat({
        type: ChatType[type],
        name: uniqueName('permissions'),
        memberIds,
      });
      const chatId = created.chat!.id;
      await backend.chat.updateMember({ chatId, userId, role: ChatRole.READER });
      if (role && role !== 'MEMBER') await backend.chat.updateMember({ chatId, userId: id, role: ChatRole[role] });
      await backend.chat.banMember({ chatId, userId: 'u-banned' });
      return chatId;
    }

    test('each row that is spelt out is what the table says', () => {
      for (const [method, tokenRole, type, role, outcome] of literal) {
        expect([method, tokenRole, type, role, expected(method, tokenRole, type, role)]).toEqual([
          method,
          tokenRole,
          type,
          role,
          outcome,
        ]);
      }
      const withChat = Object.keys(permissions).filter((method) => 'chat' in permissions[method as Method]);
      expect(Object.keys(uses).sort()).toEqual(withChat.sort());
    });

    describe.each(Object.keys(uses) as Method[])('%s', (method) => {
      test.each(tokenRoles)('with the token role %s, in each role in a chat', async (tokenRole) => {
        const caller = await personWith(open(), issue, tokenRole);
        const cells = (['GROUP', 'ROOM'] as const).flatMap((type) =>
          [...chatRoles, undefined].map((role) => ({ type, role })),
        );
        const found = await Promise.all(
          cells.map(async ({ type, role }) => {
            const chatId = await chatWith(caller, type, role);
            return outcomeOf(uses[method]!(caller, chatId));
          }),
        );
        const named = (outcomes: string[]) => cells.map(({ type, role }, i) => `${type} ${role}: ${outcomes[i]}`);
        expect(named(found)).toEqual(named(cells.map(({ type, role }) => expected(method, tokenRole, type, role))));
      });
    });

    test.each([...tokenRoles, undefined])('methods without a chat, with the token role %s', async (tokenRole) => {
      const transport = open();
      for (const { method, call } of otherMethods(transport)) {
        const { token }: Permission = permissions[method];
        const caller = await personWith(transport, issue, ...(tokenRole ? [tokenRole] : []));
        const outcome = await call({ token: caller.token }).then(
          () => 'may',
          ({ reason }: { reason: string }) => (reason === 'METHOD_NOT_ALLOWED' ? reason : 'may'),
        );
        const may = token === 'anyone' || (tokenRole !== undefined && token.some((role) => role === tokenRole));
        expect([method, outcome]).toEqual([method, may ? 'may' : 'METHOD_NOT_ALLOWED']);
        const without = await call({}).then(
          () => 'may',
          ({ reason }: { reason: string }) => (reason === 'TOKEN_MISSING' ? reason : 'may'),
        );
        expect([method, without]).toEqual([method, token === 'anyone' ? 'may' : 'TOKEN_MISSING']);
      }
    });
  });
}

async function outcomeOf(use: Promise<unknown>): Promise<string> {
  return use.then(
    () => 'may',
    ({ reason }: { reason: string }) => reason,
  );
}

/** Every unary method that names no chat. */
function otherMethods(transport: Transport) {
  const calls = { ...transport.auth, ...transport.chat } as unknown as Record<
    string,
    (request: object, options: { token?: string }) => Promise<unknown>
  >;
  const unary = Object.keys(calls).filter((name) => name !== 'connectChat');
  return unary.flatMap((name) => {
    const method = `${name[0]!.toUpperCase()}${name.slice(1)}` as Method;
    if (!Object.hasOwn(permissions, method)) throw new Error(`${method} is missing in the permissions table`);
    return method in uses
      ? []
      : [{ method, call: (options: { token?: string }) => calls[name]!(inPath[method] ?? {}, options) }];
  });
}
