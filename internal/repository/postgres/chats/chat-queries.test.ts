import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collectPages } from '../../../testing/collect-pages.ts';
import { newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import type { ChatsKey } from '../../chat-repository.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

describe('the chats of a user', () => {
  test('are paged without skips or repeats, most recently changed first, also when many changed in the same millisecond', async () => {
    const chatIds: string[] = [];
    for (let i = 0; i < 9; i += 1) chatIds.push((await storage.chats.createGroup(user('pager'), `${i}`, [])).chat.id);
    // Three instants, one of them a fraction of a millisecond after another.
    await storage.database.pool.query(
      `update chats set changed_at = timestamptz '2030-01-01 00:00:00.123+00' + make_interval(secs => (array[0, 0.000001, 5])[1 + name::int % 3])
       where id = any($1::uuid[])`,
      [chatIds],
    );
    const { rows } = await storage.database.pool.query(
      'select id from chats where id = any($1::uuid[]) order by changed_at desc, id desc',
      [chatIds],
    );
    for (const limit of [1, 2, 3, 4, 8, 9, 10]) {
      const listed = await collectPages(
        (count, after?: ChatsKey) => storage.chats.listOfUser('pager', count, after),
        limit,
      );
      expect(listed.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    }
  });

  test('are only the user’s own, each with its last message and the other user of a direct chat', async () => {
    await storage.users.remember(user('friend'));
    const { chat: direct } = await storage.chats.openDirect(user('lister'), 'friend');
    const { chat: group } = await storage.chats.createGroup(user('lister'), 'group', ['friend']);
    await storage.chats.createGroup(user('friend'), 'not mine', []);
    await storage.chats.ensureRooms(['nobody-is-in-it']);
    const message = newMessage(direct.id, 'lister', { text: 'last' });
    await storage.messages.appendBatch([message], ['OWNER']);

    const { items, next } = await storage.chats.listOfUser('lister', 10);

    expect(next).toBeUndefined();
    expect(items.map(({ id, type, peer, lastMessage }) => ({ id, type, peer, text: lastMessage?.text }))).toEqual([
      { id: direct.id, type: 'DIRECT', peer: user('friend'), text: 'last' },
      { id: group.id, type: 'GROUP', peer: undefined, text: '' },
    ]);
    expect(items[0]?.lastMessage).toEqual(await storage.messages.get(direct.id, message.id));
    expect(await storage.chats.listOfUser('nobody', 10)).toEqual({ items: [] });
  });
});

describe('the rooms', () => {
  const names = ['Zebra', 'alpha', 'alpha-2', 'alpha.3', 'Ärzte', 'beta_%', 'straße', '日本', 'x'.repeat(64)];
  beforeAll(() => storage.chats.ensureRooms(names));

  test('are paged by name, in the order of code points, without skips or repeats', async () => {
    const all = (await storage.chats.listRooms('alice', '', 1_000)).items.map(({ name }) => name);
    expect(all).toEqual(all.toSorted());
    for (const limit of [1, 2, 3, all.length - 1, all.length]) {
      const listed = await collectPages(
        (count, after?: string) => storage.chats.listRooms('alice', '', count, after),
        limit,
      );
      expect(listed.map(({ name }) => name)).toEqual(all);
    }
  });

  test.each([
    ['ALPHA', ['alpha', 'alpha-2', 'alpha.3']],
    ['zeb', ['Zebra']],
    ['ärz', ['Ärzte']],
    ['%', ['beta_%']],
    ['_', ['beta_%']],
    ['\\', []],
    ['本', ['日本']],
    ['.*', []],
  ])('are found by a part of the name, in upper or lower case: %s', async (filter, expected) => {
    const found = await collectPages(
      (count, after?: string) => storage.chats.listRooms('alice', filter, count, after),
      2,
    );
    expect(found.map(({ name }) => name)).toEqual(expected);
  });

  test('show each caller their own membership', async () => {
    await storage.chats.joinRoom('alpha', user('joiner'));
    const own = async (userId: string) => (await storage.chats.listRooms(userId, 'alpha', 1)).items[0]?.own;
    expect(await own('joiner')).toEqual({ role: 'MEMBER', joinedSeq: 1, readSeq: 0, unreadCount: 0 });
    expect(await own('stranger')).toBeUndefined();
  });
});
