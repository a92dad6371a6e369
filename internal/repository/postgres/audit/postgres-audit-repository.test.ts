import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allow, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import type { AuditFilter } from '../../audit-repository.ts';
import { PostgresBanRepository } from '../bans/postgres-ban-repository.ts';
import { PostgresAuditRepository } from './postgres-audit-repository.ts';

let storage: TestStorage;
let audit: PostgresAuditRepository;
beforeAll(async () => {
  storage = await openTestStorage();
  audit = new PostgresAuditRepository(storage.database);
});
afterAll(() => storage.close());

const acts = async (filter: AuditFilter) => {
  const { items } = await audit.list(filter, 100);
  return items.map(({ actorId, action }) => `${actorId} ${action}`);
};

test('entries are listed newest first, of all chats and of the service, or of one chat or one actor', async () => {
  const { chats } = storage;
  const bans = new PostgresBanRepository(storage.database);
  const { chat: one } = await chats.createGroup(user('alice'), 'one', ['bob']);
  const { chat: other } = await chats.createRoom(user('bob'), randomUUID(), []);
  await storage.members.setRole(one.id, user('alice'), 'bob', 'ADMIN', allow);
  await bans.ban(user('root'), 'carol', 'spam', undefined);

  expect(await acts({})).toEqual(['root user.ban', 'alice members.role', 'bob chat.create', 'alice chat.create']);
  expect(await acts({ chatId: one.id })).toEqual(['alice members.role', 'alice chat.create']);
  expect(await acts({ actorId: 'bob' })).toEqual(['bob chat.create']);
  expect(await acts({ chatId: one.id, actorId: 'bob' })).toEqual([]);
  expect(await acts({ chatId: other.id, actorId: 'bob' })).toEqual(['bob chat.create']);
  const [ban, role] = (await audit.list({}, 2)).items;
  expect(ban).toEqual({
    id: expect.any(Number),
    at: expect.any(Date),
    actorId: 'root',
    action: 'user.ban',
    detail: { user: 'carol', reason: 'spam' },
  });
  expect(role).toMatchObject({ chatId: one.id, detail: { user: 'bob', from: 'MEMBER', role: 'ADMIN' } });
});

test('a page continues where the one before ended, also when entries were added since', async () => {
  const { chat } = await storage.chats.createRoom(user('pager'), randomUUID(), []);
  for (const userId of ['a', 'b', 'c', 'd']) await storage.members.add(chat.id, user('pager'), [userId], allow);
  const seen: number[] = [];
  let next: number | undefined;
  do {
    const page = await audit.list({ chatId: chat.id }, 2, next);
    expect(page.items.length).toBeLessThanOrEqual(2);
    seen.push(...page.items.map(({ id }) => id));
    next = page.next;
    await storage.chats.joinRoom(chat.name, user(randomUUID()));
  } while (next !== undefined);
  expect(seen).toHaveLength(5);
  expect(seen).toEqual(seen.toSorted((a, b) => b - a));
});
