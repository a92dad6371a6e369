import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ChatPublication } from '../../client/bus/bus.ts';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import { MemoryPresence } from '../../client/presence/memory-presence.ts';
import { features } from '../../model/feature.ts';
import type { Principal } from '../../model/principal.ts';
import type { ChatRepository } from '../../repository/chat-repository.ts';
import { withFaults } from '../../testing/faults/with-faults.ts';
import { principalOf } from '../../testing/services/test-node.ts';
import { openTestStorage, type TestStorage } from '../../testing/services/test-storage.ts';
import { MessageWriter } from '../writing/message-writer.ts';
import { ChatService, type ChatServiceOptions } from './chat-service.ts';

let storage: TestStorage;
let presence: MemoryPresence;
let service: ChatService;
/** What was published to chats, and the users to whom a change of membership was published. */
let said: { chatId: string; publication: ChatPublication }[];
let toldUsers: string[];
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

function newService(
  options: Partial<ChatServiceOptions> = {},
  messages = storage.messages,
  chats: ChatRepository = storage.chats,
): ChatService {
  const bus = new MemoryBus();
  const publishToChat = bus.publishToChat.bind(bus);
  bus.publishToChat = (chatId, publication) => {
    said.push({ chatId, publication });
    publishToChat(chatId, publication);
  };
  bus.publishMembershipChange = (userIds) => void toldUsers.push(...userIds);
  presence = new MemoryPresence();
  const writerOptions = { maxBatch: 10, maxInFlight: 1, maxQueued: 10, giveUpAfterMs: 1_000 };
  const writer = new MessageWriter({ messages: storage.messages, bus, log: pino({ level: 'silent' }) }, writerOptions);
  return new ChatService(
    { ...storage, chats, messages, writer, presence, bus, epochs: storage.database.epochs },
    { maxTextLength: 10, features: new Set(features), createRoomsOnJoin: true, maxSignalMembers: 3, ...options },
  );
}
beforeEach(() => {
  said = [];
  toldUsers = [];
  service = newService();
});

const [alice, bob, stranger] = ['alice', 'bob', 'stranger'].map(principalOf) as [Principal, Principal, Principal];
const admin: Principal = { ...principalOf('root'), roles: ['admin'] };

async function newGroup(...memberIds: string[]): Promise<string> {
  return (await service.createChat(alice, { type: 'GROUP', name: 'group', memberIds })).chat.id;
}

const kinds = () =>
  said.flatMap(({ publication }) =>
    publication.kind === 'entries'
      ? publication.entries.map((entry) => ('message' in entry && entry.message.system?.kind) || 'text')
      : [publication.kind],
  );

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'may',
    (error) => error.reason ?? error,
  );

describe('a direct chat', () => {
  test.each([
    [{ memberIds: [] }, 'member_ids'],
    [{ memberIds: ['bob', 'carol'] }, 'member_ids'],
    [{ memberIds: ['alice'] }, 'member_ids[0]'],
    [{ memberIds: ['bob'], name: 'x' }, 'name'],
  ])('is refused by field: %j', async (given, field) => {
    await expect(service.createChat(alice, { type: 'DIRECT', name: '', ...given })).rejects.toMatchObject({
      reason: 'INVALID_FIELDS',
      violations: [{ field }],
    });
  });

  test('is published to both when it is created, and not when it existed already', async () => {
    const create = () => service.createChat(alice, { type: 'DIRECT', name: '', memberIds: ['dave'] });
    const { chat, created } = await create();
    expect([created, kinds(), toldUsers.sort()]).toEqual([true, ['chat_created'], ['alice', 'dave']]);
    expect(await create()).toMatchObject({ created: false, chat: { id: chat.id } });
    expect([kinds(), toldUsers]).toEqual([['chat_created'], ['alice', 'dave']]);
  });

  test('keeps its two members for ever, but either may delete it', async () => {
    const { chat } = await service.createChat(alice, { type: 'DIRECT', name: '', memberIds: ['erin'] });
    expect(await refusal(service.addMembers(alice, chat.id, ['bob']))).toBe('CHAT_IS_DIRECT');
    expect(await refusal(service.removeMember(alice, chat.id, 'erin'))).toBe('CHAT_IS_DIRECT');
    expect(await refusal(service.leaveChat(alice, chat.id))).toBe('CHAT_IS_DIRECT');
    expect(await refusal(service.leaveChat(stranger, chat.id))).toBe('CHAT_NOT_FOUND');
    expect(await refusal(service.deleteChat(principalOf('erin'), chat.id))).toBe('may');
  });
});

describe('a room', () => {
  test.each(['', ' ', '-x', 'a b', 'a/b', 'x'.repeat(65), 'a\n'])('cannot be named %j', async (name) => {
    await expect(service.createChat(alice, { type: 'ROOM', name, memberIds: [] })).rejects.toMatchObject({
      violations: [{ field: 'name' }],
    });
  });

  test('is created by the first user that joins it, also when many join at once', async () => {
    const name = randomUUID();
    const users = Array.from({ length: 12 }, (_, i) => principalOf(`joiner-${i}`));
    const results = await Promise.all(users.map((user) => service.joinRoom(user, name)));
    expect(results.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(results.map(({ chat }) => chat.id)).size).toBe(1);
    expect((await storage.chats.get(results[0]!.chat.id, 'x')).memberCount).toBe(12);
    expect(kinds().sort()).toEqual(['chat_created', ...users.slice(1).map(() => 'member_joined')]);
    expect(toldUsers.sort()).toEqual(users.map(({ userId }) => userId).sort());
  });

  test('is not created by joining if so configured', async () => {
    service = newService({ createRoomsOnJoin: false });
    expect(await refusal(service.joinRoom(alice, randomUUID()))).toBe('ROOM_NOT_FOUND');
  });

  test('shows strangers itself and its members, but not its messages', async () => {
    const { chat } = await service.joinRoom(alice, randomUUID());
    expect(await refusal(service.getChat(stranger, chat.id))).toBe('may');
    expect(await refusal(service.listMembers(stranger, chat.id, 10))).toBe('may');
    expect(await refusal(service.listOnlineUsers(stranger, chat.id, 10))).toBe('may');
    expect(await refusal(service.listMessages(stranger, chat.id, 'newest', 10))).toBe('NOT_A_MEMBER');
    expect(await refusal(service.getMessage(stranger, chat.id, randomUUID()))).toBe('NOT_A_MEMBER');
    expect(await refusal(service.getMembership(stranger, chat.id))).toBe('NOT_A_MEMBER');
  });
});

describe('a group', () => {
  test('is not found by users who are not members, in any method', async () => {
    const chatId = await newGroup('bob');
    const message = { chatId, clientMessageId: 'x', text: 'x' };
    const attempts = (id: string) => [
      service.getChat(stranger, id),
      service.deleteChat(stranger, id),
      service.addMembers(stranger, id, ['stranger']),
      service.listMembers(stranger, id, 10),
      service.removeMember(stranger, id, 'bob'),
      service.leaveChat(stranger, id),
      service.sendMessage(stranger, { ...message, chatId: id }),
      service.getMessage(stranger, id, randomUUID()),
      service.listMessages(stranger, id, 'newest', 10),
      service.listOnlineUsers(stranger, id, 10),
      service.getMembership(stranger, id),
    ];
    const [there, notThere] = await Promise.all(
      [chatId, randomUUID()].map((id) => Promise.all(attempts(id).map(refusal))),
    );
    expect(there).toEqual(there!.map(() => 'CHAT_NOT_FOUND'));
    expect(notThere).toEqual(there);
  });

  test('that is deleted while its history is read does not look empty', async () => {
    const chatId = await newGroup('bob');
    const messages = withFaults(storage.messages, (real) => ({
      async listHistory(...read) {
        await service.deleteChat(alice, chatId);
        return real.listHistory(...read);
      },
    }));
    const read = newService({}, messages).listMessages(bob, chatId, 'newest', 10);
    expect(await refusal(read)).toBe('CHAT_NOT_FOUND');
  });

  test('is not read, with its unread count, to check that a member may read its messages', async () => {
    const chatId = await newGroup('bob');
    const chats = withFaults(storage.chats, () => ({
      get: () => Promise.reject(new Error('counts what is unread')),
    }));
    const ofMembers = newService({}, storage.messages, chats);
    const { messages } = await ofMembers.listMessages(bob, chatId, 'newest', 10);
    expect(await ofMembers.getMessage(bob, chatId, messages[0]!.id)).toEqual({ message: messages[0], referenced: [] });
  });

  test('is changed only by members whose role allows it', async () => {
    const chatId = await newGroup('bob', 'carol');
    expect(await refusal(service.addMembers(bob, chatId, ['dave']))).toBe('ROLE_TOO_LOW');
    expect(await refusal(service.removeMember(bob, chatId, 'carol'))).toBe('ROLE_TOO_LOW');
    expect(await refusal(service.deleteChat(bob, chatId))).toBe('ROLE_TOO_LOW');
    expect(await refusal(service.removeMember(alice, chatId, 'carol'))).toBe('may');
    expect(await refusal(service.addMembers(admin, chatId, ['carol']))).toBe('may');
    expect(await refusal(service.listMessages(admin, chatId, 'newest', 10))).toBe('CHAT_NOT_FOUND');
    expect(await refusal(service.deleteChat(admin, chatId))).toBe('may');
  });

  test('has each change published to its readers and to the users whose memberships change', async () => {
    const chatId = await newGroup('bob');
    await service.addMembers(alice, chatId, ['bob', 'carol', 'dave']);
    await service.addMembers(alice, chatId, ['bob']);
    await service.removeMember(alice, chatId, 'dave');
    await service.leaveChat(alice, chatId);
    await service.deleteChat(bob, chatId);
    expect(kinds()).toEqual([
      'chat_created',
      'members_added',
      'member_removed',
      'member_left',
      'owner_changed',
      'deleted',
    ]);
    const [created, added, removed, left, ...deleted] = [
      toldUsers.splice(0, 2),
      toldUsers.splice(0, 2),
      toldUsers.splice(0, 1),
      toldUsers.splice(0, 1),
      ...toldUsers.sort(),
    ];
    expect([created, added, removed, left, deleted]).toEqual([
      ['alice', 'bob'],
      ['carol', 'dave'],
      ['dave'],
      ['alice'],
      ['bob', 'carol'],
    ]);
    expect(new Set(said.map((each) => each.chatId))).toEqual(new Set([chatId]));
  });
});

describe('a message', () => {
  test('is counted in characters as people count them', async () => {
    const chatId = await newGroup();
    const send = (text: string) => refusal(service.sendMessage(alice, { chatId, clientMessageId: randomUUID(), text }));
    expect(await send('😀'.repeat(10))).toBe('may');
    expect(await send('😀'.repeat(11))).toBe('INVALID_FIELDS');
    expect(await send('x'.repeat(11))).toBe('INVALID_FIELDS');
    await expect(
      service.sendMessage(alice, { chatId, clientMessageId: 'x', text: 'x'.repeat(11) }),
    ).rejects.toMatchObject({
      violations: [{ field: 'text' }],
    });
  });

  test('is of the caller, by the name of their token, and can be read by its id by members', async () => {
    const chatId = await newGroup('bob');
    const { messageId } = await service.sendMessage(alice, { chatId, clientMessageId: 'x', text: 'text' });
    expect(await service.getMessage(bob, chatId, messageId)).toMatchObject({
      message: { sender: { id: 'alice', name: alice.name }, text: 'text' },
    });
    expect(await refusal(service.getMessage(bob, chatId, randomUUID()))).toBe('MESSAGE_NOT_FOUND');
    await service.removeMember(alice, chatId, 'bob');
    expect(await refusal(service.getMessage(bob, chatId, messageId))).toBe('CHAT_NOT_FOUND');
  });
});

test('online users are listed page by page, all of them or those of one chat', async () => {
  const chatId = await newGroup('m1', 'm3', 'm5', 'away');
  for (const id of ['m5', 'm1', 'm2', 'm3', 'm4']) await presence.enter(randomUUID(), { id, name: `n ${id}` });
  const collect = async (of?: string) => {
    const ids: string[] = [];
    for (let after: string | undefined; ; ) {
      const { items, next } = await service.listOnlineUsers(alice, of, 2, after);
      ids.push(...items.map(({ id }) => id));
      if (!next) return ids;
      expect(items).toHaveLength(2);
      after = next;
    }
  };
  expect(await collect()).toEqual(['m1', 'm2', 'm3', 'm4', 'm5']);
  expect(await collect(chatId)).toEqual(['m1', 'm3', 'm5']);
});

test('the online users of a chat are looked up among its members only, and only while the caller waits', async () => {
  const chatId = await newGroup('m1', 'm3');
  for (const id of ['m2', 'm1', 'm3']) await presence.enter(randomUUID(), { id, name: `n ${id}` });
  presence.list = () => Promise.reject(new Error('everybody was looked at'));
  expect((await service.listOnlineUsers(alice, chatId, 2)).items.map(({ id }) => id)).toEqual(['m1', 'm3']);
  const gone = new Error('gone');
  await expect(service.listOnlineUsers(alice, chatId, 2, undefined, AbortSignal.abort(gone))).rejects.toBe(gone);
});
