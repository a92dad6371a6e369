import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { ChatRole, ChatType } from '../../../pkg/api/chat/v1/chat.ts';
import { errorFromStatus } from '../../../pkg/chat-client/errors/status.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { indexTypes } from '../../../pkg/proto-rules/descriptor-set.ts';
import { validMessage } from '../../../pkg/proto-rules/testing/valid-values.ts';
import { chatRoles, type ChatRole as Role } from '../../model/member.ts';
import { type ChatOperation, type Operation, operations, type Permission } from '../../model/operations.ts';
import type { TokenRole } from '../../model/principal.ts';
import { streamOperations } from '../../transport/shared/operations/stream-operations.ts';
import { type Person, uniqueName } from '../clients/person.ts';
import type { CommandBody } from '../clients/stream-probe.ts';
import { type Issue, personWith } from './issue.ts';

type Outcome = 'may' | 'METHOD_NOT_ALLOWED' | 'NOT_A_MEMBER' | 'ROLE_TOO_LOW' | 'CHAT_NOT_FOUND';
type Call = (request: object, options?: { token?: string }) => Promise<unknown>;

const tokenRoles = ['user', 'admin', 'service'] as const satisfies TokenRole[];
const userId = 'u-below';
const chatOperations = (Object.keys(operations) as Operation[]).filter(
  (operation): operation is ChatOperation => 'chat' in operations[operation],
);

/** The fields that matter in a request besides the chat; `u-below` is a reader in it. All other fields have any valid value. */
const requests: Partial<Record<ChatOperation, object>> = {
  AddMembers: { userIds: ['u-new'] },
  UpdateChat: { name: undefined, description: 'new' },
  UpdateMember: { userId, role: ChatRole.MEMBER },
  RemoveMember: { userId },
  BanMember: { userId },
  UnbanMember: { userId: 'u-banned' },
  AddReaction: { emoji: '👍' },
  RemoveReaction: { emoji: '👍' },
  ListReactions: { emoji: '👍' },
};
const types = indexTypes(
  JSON.parse(readFileSync(new URL('../../../pkg/api/descriptors.json', import.meta.url), 'utf8')),
);

/** Returns a new valid request of the operation. */
function requestOf(operation: ChatOperation, chatId: string): object {
  const typeName = `chat.v1.${operation}Request`;
  const filled = types.messages.has(typeName) ? validMessage(types, typeName) : {};
  const unique = 'clientMessageId' in filled ? { clientMessageId: crypto.randomUUID() } : {};
  const first = 'pageToken' in filled ? { pageToken: '' } : {};
  return { ...filled, ...unique, ...first, ...requests[operation], chatId };
}

/** The command of each operation that a stream has. */
const commandCases = new Map<Operation, string>([
  ['Subscribe', 'subscribe'],
  ...Object.entries(streamOperations).map(([$case, { operation }]) => [operation, $case] as const),
]);

const methodOf = (operation: Operation) => `${operation[0]!.toLowerCase()}${operation.slice(1)}`;

/** Returns functions that use the operation: one as a call and one as a command, as far as they exist. */
function waysToUse(operation: ChatOperation, caller: Person): ((chatId: string) => Promise<unknown>)[] {
  const call = (caller.chat as unknown as Record<string, Call>)[methodOf(operation)];
  const $case = commandCases.get(operation);
  return [
    ...(call ? [(chatId: string) => call(requestOf(operation, chatId))] : []),
    ...($case
      ? [
          (chatId: string) =>
            askOnStream(caller, { $case, value: requestOf(operation, chatId) } as unknown as CommandBody),
        ]
      : []),
  ];
}

async function askOnStream(caller: Person, command: CommandBody): Promise<void> {
  const stream = await caller.connect();
  const answer = await stream.ask(command);
  stream.close();
  if (answer.$case === 'rejected') throw errorFromStatus(answer.value.status!);
}

/** Fields in the path of a REST request, which must not be empty. Other fields may be missing, because permissions are checked before validation. */
const inPath: Partial<Record<Operation, object>> = {
  JoinRoom: { name: 'permissions' },
  BanUser: { userId: 'u-banned' },
  UnbanUser: { userId: 'u-banned' },
  RevokeSession: { sessionId: crypto.randomUUID() },
};

/** Returns the outcome that the table demands. */
function expected(operation: Operation, tokenRole: TokenRole, type: 'GROUP' | 'ROOM', role: Role | undefined): Outcome {
  const { token, chat }: Permission = operations[operation];
  if (token !== 'anyone' && !token.includes(tokenRole)) return 'METHOD_NOT_ALLOWED';
  if (!chat || (chat.admins && tokenRole === 'admin') || (chat.services && tokenRole === 'service')) return 'may';
  if (role) return chat.roles.includes(role) ? 'may' : 'ROLE_TOO_LOW';
  if (type === 'GROUP') return 'CHAT_NOT_FOUND';
  return chat.openRooms ? 'may' : 'NOT_A_MEMBER';
}

/** The chats in which an operation is tried: each type, with each role of the caller. */
const everyCell = (['GROUP', 'ROOM'] as const).flatMap((type) =>
  [...chatRoles, undefined].map((role) => ({ type, role })),
);

/**
 * Registers the tests of the permissions table that every transport must pass: each operation with each token role. With `every role` they try each role
 * in a chat; one transport suffices for that. With `one role` they try one role for each outcome, since all transports share the check.
 */
export function permissionsContract(open: () => Transport, issue: Issue, roles: 'every role' | 'one role'): void {
  describe('permissions', () => {
    let backend: Person;
    beforeAll(async () => {
      backend = await personWith(open(), issue, 'service');
    });

    /** Creates a chat in which the caller has the role; undefined: is not a member. */
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

    describe.each(chatOperations)('%s', (operation) => {
      test.each(tokenRoles)(`with the token role %s, with ${roles} in a chat for each outcome`, async (tokenRole) => {
        const caller = await personWith(open(), issue, tokenRole);
        const outcomes = everyCell.map(({ type, role }) => expected(operation, tokenRole, type, role));
        const cells = everyCell.filter((_, i) => roles === 'every role' || outcomes.indexOf(outcomes[i]!) === i);
        for (const use of waysToUse(operation, caller)) {
          const found = await Promise.all(
            cells.map(async ({ type, role }) => outcomeOf(use(await chatWith(caller, type, role)))),
          );
          const named = (all: string[]) => cells.map(({ type, role }, i) => `${type} ${role}: ${all[i]}`);
          expect(named(found)).toEqual(
            named(cells.map(({ type, role }) => expected(operation, tokenRole, type, role))),
          );
        }
      });
    });

    test.each([...tokenRoles, undefined])('methods without a chat, with the token role %s', async (tokenRole) => {
      const transport = open();
      for (const { operation, call } of otherOperations(transport)) {
        const { token }: Permission = operations[operation];
        const caller = await personWith(transport, issue, ...(tokenRole ? [tokenRole] : []));
        const outcome = await call({ token: caller.token }).then(
          () => 'may',
          ({ reason }: { reason: string }) => (reason === 'METHOD_NOT_ALLOWED' ? reason : 'may'),
        );
        const may = token === 'anyone' || (tokenRole !== undefined && token.some((role) => role === tokenRole));
        expect([operation, outcome]).toEqual([operation, may ? 'may' : 'METHOD_NOT_ALLOWED']);
        const without = await call({}).then(
          () => 'may',
          ({ reason }: { reason: string }) => (reason === 'TOKEN_MISSING' ? reason : 'may'),
        );
        expect([operation, without]).toEqual([operation, token === 'anyone' ? 'may' : 'TOKEN_MISSING']);
      }
    });
  });
}

/** Returns the reason of a refusal, else `may`. MESSAGE_NOT_FOUND means that the caller may look for a message. */
async function outcomeOf(use: Promise<unknown>): Promise<string> {
  return use.then(
    () => 'may',
    ({ reason }: { reason: string }) => (reason === 'MESSAGE_NOT_FOUND' ? 'may' : reason),
  );
}

/** Every unary operation whose request names no chat. */
function otherOperations(transport: Transport) {
  const calls = { ...transport.auth, ...transport.chat } as unknown as Record<string, Call>;
  const others = (Object.keys(operations) as Operation[]).filter(
    (operation) => operation !== 'ConnectChat' && !('chat' in operations[operation]) && calls[methodOf(operation)],
  );
  return others.map((operation) => ({
    operation,
    call: (options: { token?: string }) => calls[methodOf(operation)]!(inPath[operation] ?? {}, options),
  }));
}
