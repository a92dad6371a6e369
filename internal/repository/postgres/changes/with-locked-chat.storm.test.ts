import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatError, type ErrorReason } from '../../../model/errors.ts';
import { chatRoles } from '../../../model/member.ts';
import { eventually } from '../../../testing/eventually.ts';
import { testRandom } from '../../../testing/random.ts';
import { allow, newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import { pruneDeletedChats } from '../chats/prune-deleted-chats.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage({ maxMembers: 6, poolSize: 16 });
});
afterAll(() => storage.close());

/** The refusals that a race may end in. Any other error, a deadlock above all, is a fault. */
const expected: readonly ErrorReason[] = [
  'CHAT_NOT_FOUND',
  'ROOM_NOT_FOUND',
  'ROOM_EXISTS',
  'MEMBER_NOT_FOUND',
  'NOT_A_MEMBER',
  'MEMBER_LIMIT',
  'LAST_OWNER',
  'USER_IS_BANNED',
  'BANNED_FROM_CHAT',
  'BAN_NOT_FOUND',
];

const userIds = Array.from({ length: 8 }, (_, i) => `user ${i}`);
const rooms = ['one', 'two', 'three'];
const random = testRandom();

function pick<T>(values: readonly T[]): T {
  return random.pick(values)!;
}

function some<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, place: random.next() }))
    .filter(() => random.chance(0.5))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}

test('random concurrent operations end as expected, without a deadlock, and leave every count right', async () => {
  const { chats, members, chatBans, users, messages } = storage;
  const { db } = storage.database;
  const groups = await Promise.all(
    [1, 2].map(async () => (await chats.createGroup(user(pick(userIds)), 'group', [])).chat.id),
  );
  const anyChat = async () => {
    const { items } = await chats.listOfUser(pick(userIds), 20);
    return pick([...items.map(({ id }) => id), ...groups]);
  };
  const operations: (() => Promise<unknown>)[] = [
    () => chats.openDirect(user(pick(userIds)), `other ${pick(userIds)}`),
    () => chats.openDirect(user(`other ${userIds[0]}`), userIds[0]!),
    () => chats.createRoom(user(pick(userIds)), pick(rooms), some(userIds).slice(0, 3)),
    () => chats.createGroup(user(pick(userIds)), 'another', some(userIds).slice(0, 3)),
    () => chats.joinRoom(pick(rooms), { id: pick(userIds), name: `name ${random.below(1_000)}` }),
    async () => members.leave(await anyChat(), user(pick(userIds)), allow),
    async () => members.add(await anyChat(), user(pick(userIds)), [pick(userIds), ...some(userIds)], allow),
    async () => members.remove(await anyChat(), user(pick(userIds)), pick(userIds), allow),
    async () => members.setRole(await anyChat(), user(pick(userIds)), pick(userIds), pick(chatRoles), allow),
    async () => chatBans.ban(await anyChat(), user(pick(userIds)), { userId: pick(userIds), reason: '' }, allow),
    async () => {
      const chatId = await anyChat();
      const { items } = await chatBans.list(chatId, 10);
      for (const ban of items) await chatBans.lift(chatId, ban.bannedBy, ban.user.id, allow);
    },
    async () => chats.delete(await anyChat(), user(pick(userIds)), allow),
    () => pruneDeletedChats(db, 5),
    () => users.remember({ id: pick(userIds), name: `name ${random.below(1_000)}` }),
    () => chats.listRooms(pick(userIds), 'o', 10),
    async () => {
      const chatIds = [await anyChat(), await anyChat()];
      return messages.appendBatch(
        chatIds.map((chatId) => newMessage(chatId, pick(userIds))),
        ['MEMBER', 'OWNER'],
        1_000,
      );
    },
  ];
  const outcomes = new Map<string, number>();
  let started = 0;
  const worker = async () => {
    while (started < 1_000) {
      started += 1;
      await pick(operations)().then(
        () => outcomes.set('done', (outcomes.get('done') ?? 0) + 1),
        (error: unknown) => {
          if (!(error instanceof ChatError && expected.includes(error.reason))) throw error;
          outcomes.set(error.reason, (outcomes.get(error.reason) ?? 0) + 1);
        },
      );
    }
  };

  await Promise.all(Array.from({ length: 14 }, worker));

  expect(outcomes.get('done')).toBeGreaterThan(300);
  const { rows: wrong } = await storage.database.pool.query(`
    select c.id, c.member_count, c.last_seq, counted.members, logged.numbers, logged.last from chats c
    cross join lateral (select count(*)::int as members from members where chat_id = c.id) counted
    cross join lateral (select count(*)::int as numbers, coalesce(max(seq), 0) as last from messages where chat_id = c.id) logged
    where c.member_count <> counted.members or c.last_seq <> logged.numbers or c.last_seq <> logged.last
      or c.member_count > 6 or exists (select from members where chat_id = c.id and joined_seq > c.last_seq)`);
  expect(wrong).toEqual([]);
  while ((await pruneDeletedChats(db, 100)) > 0);
  const { rows: orphans } = await storage.database.pool.query(`
    select chat_id from members where chat_id not in (select id from chats)
    union select chat_id from messages where chat_id not in (select id from chats)
    union select chat_id from chat_bans where chat_id not in (select id from chats)`);
  expect(orphans).toEqual([]);
  const { rows: banned } = await storage.database.pool.query(
    'select from members m join chat_bans b on b.chat_id = m.chat_id and b.user_id = m.user_id',
  );
  expect(banned).toEqual([]);
  const { rows: ownerless } = await storage.database.pool.query(`
    select id from chats where type = 'GROUP' and member_count > 0
      and not exists (select from members where chat_id = chats.id and role = 'OWNER')`);
  expect(ownerless).toEqual([]);
});

test('a direct chat that is deleted while it is being opened is created again', async () => {
  const { chats } = storage;
  const open = async (i: number) => {
    const { chat } = await (i % 2 ? chats.openDirect(user('a'), 'b') : chats.openDirect(user('b'), 'a'));
    const gone = (error: unknown) => expect(error).toMatchObject({ reason: 'CHAT_NOT_FOUND' });
    if (i % 3 === 0) await chats.delete(chat.id, user('a'), allow).catch(gone);
  };
  for (let round = 0; round < 10; round += 1) await Promise.all(Array.from({ length: 30 }, (_, i) => open(i)));
});

test('a room that is deleted while it is being joined is not found', async () => {
  const { chat } = await storage.chats.createRoom(user('a'), 'short-lived', []);
  const outside = await storage.connect();
  await outside.query('begin');
  await outside.query('delete from chats where id = $1', [chat.id]);
  const joined = storage.chats.joinRoom('short-lived', user('b'));
  joined.catch(() => {});
  await eventually(waitsForLock);

  await outside.query('commit');

  await expect(joined).rejects.toMatchObject({ reason: 'ROOM_NOT_FOUND' });
});

async function waitsForLock(): Promise<void> {
  const { rowCount } = await storage.database.pool.query(
    `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  expect(rowCount).toBe(1);
}
