import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditOf } from '../../../testing/services/chat-state.ts';
import { allow, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

const [alice, bob, carol] = [user('alice'), user('bob'), user('carol')];

test('every change of a chat’s members leaves a row in the audit log, in the same transaction', async () => {
  const { chat } = await storage.chats.createRoom(alice, randomUUID(), ['bob']);
  await storage.members.add(chat.id, alice, ['carol'], allow);
  await storage.members.remove(chat.id, alice, 'carol', allow);
  await storage.members.leave(chat.id, bob, allow);
  await storage.chats.joinRoom(chat.name, carol);
  await storage.chats.delete(chat.id, alice, allow);

  expect((await auditOf(storage, chat.id)).map(([actor, action]) => `${actor} ${action}`)).toEqual([
    'alice chat.create',
    'alice members.add',
    'alice members.remove',
    'bob members.leave',
    'carol members.join',
    'alice chat.delete',
  ]);
  expect((await auditOf(storage, chat.id))[1]?.[2]).toEqual({ users: ['carol'] });
});
