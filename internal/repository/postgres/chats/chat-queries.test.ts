import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { User } from '../../../model/user.ts';
import { collectPages } from '../../../testing/collect-pages.ts';
import { allow, newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import type { ChatsKey } from '../../chat-repository.ts';
import { inSnapshot } from '../connection/in-transaction.ts';
import { listUserChats } from './chat-queries.ts';
import { PostgresChatRepository } from './postgres-chat-repository.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

/** Creates groups of the user that changed last a week ago, the last one most recently. */
async function oldGroups(me: User, count: number): Promise<string[]> {
  const chatIds: string[] = [];
  for (let i = 0; i < count; i += 1) chatIds.push((await storage.chats.createGroup(me, `${i}`, [])).chat.id);
  await storage.database.pool.query(
    `update chats set changed_at = now() - interval '7 days' + make_interval(secs => name::int) where id = any($1::uuid[])`,
    [chatIds],
  );
  return chatIds;
}

describe('the chats of a user', () => {
  test('are paged without skips or repeats, most recently changed first, also when many changed in the same millisecond', async () => {
    const chatIds: string[] = [];
    for (let i = 0; i < 9; i += 1) chatIds.push((await storage.chats.createGroup(user('pager'), `${i}`, [])).chat.id);
    // Three instants, one of them a fraction of a millisecond after another.
    await storage.database.pool.query(
      `update chats set changed_at = timestamptz '2020-01-01 00:00:00.123+00' + make_interval(secs => (array[0, 0.000001, 5])[1 + name::int % 3])
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

  test('are all listed, whichever change between the pages, and only those that changed may be listed twice', async () => {
    let run = 0;
    const changes = fc.array(fc.array(fc.nat(11), { maxLength: 4 }), { minLength: 12, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), changes, async (limit, changedAfterPage) => {
        run += 1;
        const me = user(`pager-${run}`);
        const chatIds = await oldGroups(me, 12);
        const changed = new Set<string>();
        let page = 0;
        const listed = await collectPages(async (count, after?: ChatsKey) => {
          for (const which of after ? (changedAfterPage[page++] ?? []) : []) {
            changed.add(chatIds[which]!);
            await storage.messages.appendBatch([newMessage(chatIds[which]!, me.id)], ['OWNER']);
          }
          return storage.chats.listOfUser(me.id, count, after);
        }, limit);
        const ids = listed.map(({ id }) => id);
        expect(new Set(ids)).toEqual(new Set(chatIds));
        for (const id of chatIds) {
          const times = ids.filter((each) => each === id).length;
          expect(times).toBeLessThanOrEqual(changed.has(id) ? 2 : 1);
        }
        const unchanged = chatIds.filter((id) => !changed.has(id));
        expect(ids.filter((id) => !changed.has(id))).toEqual(unchanged.toReversed());
      }),
      { numRuns: 25 },
    );
  });

  test('are all listed when one of them changes in a transaction that ends after the first page', async () => {
    const me = user('late-pager');
    const chatIds = await oldGroups(me, 5);
    await storage.messages.appendBatch([newMessage(chatIds[4]!, me.id)], ['OWNER']);
    const writer = await storage.connect();
    await writer.query('begin');
    // The time of the change is before that of the newest chat.
    await writer.query(
      `update chats set changed_at = (select changed_at - interval '1 microsecond' from chats where id = $2) where id = $1`,
      [chatIds[0], chatIds[4]],
    );
    const first = await storage.chats.listOfUser(me.id, 2);
    await writer.query('commit');
    const rest = await storage.chats.listOfUser(me.id, 10, first.next);
    expect(first.items.map(({ id }) => id)).toEqual([chatIds[4], chatIds[3]]);
    expect(rest.items.map(({ id }) => id)).toEqual(expect.arrayContaining([chatIds[2], chatIds[1], chatIds[0]]));
  });

  test('are shown with last messages of the same moment, when the user is removed while they are read', async () => {
    const { chat } = await storage.chats.createGroup(user('owner'), 'group', ['removed']);
    let between = async () => {
      await storage.members.remove(chat.id, user('owner'), 'removed', allow);
      await storage.messages.appendBatch([newMessage(chat.id, 'owner', { text: 'behind their back' })], ['OWNER']);
    };
    const reads = storage.database.reads.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        const change = between;
        between = async () => {};
        await change();
        return result;
      },
    });
    const chats = new PostgresChatRepository(
      { database: { ...storage.database, reads }, users: storage.users },
      { maxMembers: 10 },
    );
    const { items } = await chats.listOfUser('removed', 10);
    expect(items.map(({ id, lastSeq, lastMessage }) => [id, lastSeq, lastMessage?.seq])).toEqual([[chat.id, 1, 1]]);
    expect(await chats.listOfUser('removed', 10)).toEqual({ items: [] });
  });

  test('are listed without reading the other members of groups', async () => {
    const { chat } = await storage.chats.createGroup(user('in-a-crowd'), 'crowd', []);
    const { pool, db } = storage.database;
    await pool.query(
      `insert into members (chat_id, user_id, role, joined_seq) select $1, 'crowd-' || n, 'MEMBER', 1 from generate_series(1, 20000) n`,
      [chat.id],
    );
    await pool.query('analyze');
    const read = await inSnapshot(db, async (tx) => {
      // In so small a table the planner may prefer to read all of it.
      await sql`set local enable_seqscan = off`.execute(tx);
      // The counters include what earlier statements of the connection have read and not reported yet.
      const counters = async () => {
        const { rows } = await sql<{ rows: number }>`
          select seq_tup_read + coalesce(idx_tup_fetch, 0) as rows from pg_stat_xact_user_tables
          where relname = 'members'`.execute(tx);
        return rows[0]?.rows ?? 0;
      };
      const before = await counters();
      await listUserChats(tx, 'in-a-crowd', 10);
      return (await counters()) - before;
    });
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(5_000);
  });

  test('come in pages that a client can receive, however long their last messages are', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 6; i += 1) {
      const { chat } = await storage.chats.createGroup(user('reader-of-books'), `book ${i}`, []);
      ids.unshift(chat.id);
      const text = 'x'.repeat(250_000);
      await storage.messages.appendBatch([newMessage(chat.id, 'reader-of-books', { text })], ['OWNER'], 10_000);
    }
    const pages: string[][] = [];
    for (let next: ChatsKey | undefined; pages.length === 0 || next; ) {
      const page = await storage.chats.listOfUser('reader-of-books', 10, next);
      pages.push(page.items.map(({ id }) => id));
      next = page.next;
    }
    expect(pages).toEqual([ids.slice(0, 3), ids.slice(3)]);
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
    expect(await own('joiner')).toEqual({
      role: 'MEMBER',
      joinedSeq: 1,
      readSeq: 0,
      readGeneration: 0,
      unreadCount: 0,
      mentionCount: 0,
    });
    expect(await own('stranger')).toBeUndefined();
  });
});
