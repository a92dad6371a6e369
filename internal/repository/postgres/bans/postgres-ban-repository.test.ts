import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../../testing/eventually.ts';
import { openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import { PostgresBanRepository } from './postgres-ban-repository.ts';

let storage: TestStorage;
let bans: PostgresBanRepository;
beforeEach(async () => {
  storage = await openTestStorage();
  bans = new PostgresBanRepository(storage.database);
});
afterEach(() => storage.close());

const root = user('root');
const query = (text: string) => storage.database.pool.query(text);
const inAMinute = () => new Date(Date.now() + 60_000);
const listed = async () => (await bans.list(100)).items.map(({ user }) => user.id);

/** Dates all bans back by an hour. */
const age = () => query(`update user_bans set changed_at = changed_at - interval '1 hour'`);

/**
 * Returns a cursor after which there is nothing. Tests share the server: while many of its transactions run, their ids do not fit into a cursor, and
 * changes come again.
 */
function exactCursor(): Promise<string> {
  return eventually(async () => {
    const { cursor } = await bans.listChanges();
    expect(await bans.listChanges(cursor)).toMatchObject({ changes: [], complete: false });
    return cursor;
  });
}

test('a ban is listed with names until it is lifted, and both are audited', async () => {
  await storage.users.remember(root);
  await storage.users.remember(user('bob'));
  const expiresAt = inAMinute();

  const ban = await bans.ban(root, 'bob', 'spam', expiresAt);

  const expected = { user: user('bob'), bannedBy: root, reason: 'spam', createdAt: expect.any(Date), expiresAt };
  expect(ban).toEqual(expected);
  expect((await bans.list(10)).items).toEqual([expected]);
  await bans.lift(root, 'bob');
  expect(await listed()).toEqual([]);
  await expect(bans.lift(root, 'bob')).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'BAN_NOT_FOUND' });
  await expect(bans.lift(root, 'nobody')).rejects.toMatchObject({ reason: 'BAN_NOT_FOUND' });
  const { rows } = await query('select actor_id, action, chat_id, detail from audit_log order by id');
  expect(rows).toEqual([
    {
      actor_id: 'root',
      action: 'user.ban',
      chat_id: null,
      detail: { user: 'bob', reason: 'spam', expires_at: expiresAt.toISOString() },
    },
    { actor_id: 'root', action: 'user.unban', chat_id: null, detail: { user: 'bob' } },
  ]);
});

test('a second ban replaces reason, expiry and banning user, also after the first was lifted', async () => {
  await bans.ban(root, 'bob', 'first', inAMinute());
  await bans.ban(user('other'), 'bob', 'second', undefined);
  const [ban] = (await bans.list(10)).items;
  expect(ban).toMatchObject({ reason: 'second', bannedBy: { id: 'other' } });
  expect(ban).not.toHaveProperty('expiresAt');
  await bans.lift(root, 'bob');
  await bans.ban(root, 'bob', 'third', undefined);
  expect((await bans.list(10)).items).toMatchObject([{ reason: 'third' }]);
});

test('bans are listed by user id, page by page, without those that have expired', async () => {
  for (const id of ['d', 'a', 'expired', 'c', 'b']) await bans.ban(root, id, '', inAMinute());
  await query(`update user_bans set expires_at = clock_timestamp() - interval '1 ms' where user_id = 'expired'`);
  const first = await bans.list(3);
  expect([first.items.map(({ user }) => user.id), first.next]).toEqual([['a', 'b', 'c'], 'c']);
  const second = await bans.list(3, first.next);
  expect([second.items.map(({ user }) => user.id), second.next]).toEqual([['d'], undefined]);
  await expect(bans.lift(root, 'expired')).rejects.toMatchObject({ reason: 'BAN_NOT_FOUND' });
});

test('the feed begins with all bans in force', async () => {
  const expiresAt = inAMinute();
  await bans.ban(root, 'for good', '', undefined);
  await bans.ban(root, 'for a while', '', expiresAt);
  await bans.ban(root, 'lifted', '', undefined);
  await bans.ban(root, 'expired', '', inAMinute());
  await bans.lift(root, 'lifted');
  await query(`update user_bans set expires_at = clock_timestamp() - interval '1 ms' where user_id = 'expired'`);
  await age();

  const { changes, complete } = await bans.listChanges();

  expect(complete).toBe(true);
  expect(changes).toHaveLength(2);
  expect(changes).toContainEqual({ userId: 'for good', banned: true });
  expect(changes).toContainEqual({ userId: 'for a while', banned: true, expiresAt });
});

test('the feed continues with the changes since its cursor, lifted bans included', async () => {
  await bans.ban(root, 'old', '', undefined);
  await bans.ban(root, 'lifted', '', undefined);
  await age();
  const cursor = await exactCursor();

  await bans.lift(root, 'lifted');
  await bans.ban(root, 'new', '', undefined);

  const { changes, complete } = await bans.listChanges(cursor);
  expect(complete).toBe(false);
  expect(changes).toHaveLength(2);
  expect(changes).toContainEqual({ userId: 'lifted', banned: false });
  expect(changes).toContainEqual({ userId: 'new', banned: true });
  await exactCursor();
});

test('with a cursor of another history, or none at all, the feed begins again', async () => {
  await bans.ban(root, 'bob', '', undefined);
  const cursor = await exactCursor();
  const [history, snapshot] = cursor.split('.');
  const other = `${history === 'a' ? 'b' : 'a'}.${snapshot}`;
  for (const text of [other, '2999-01-01 00:00:00+00', '', 'x']) {
    expect(await bans.listChanges(text)).toMatchObject({ changes: [{ userId: 'bob', banned: true }], complete: true });
  }
  expect(await bans.listChanges(cursor)).toMatchObject({ changes: [], complete: false });
});

test('a ban that was written by hand is in the feed', async () => {
  let cursor = await exactCursor();
  await query(`insert into user_bans (user_id, banned_by, reason) values ('bob', 'operator', '')`);
  expect((await bans.listChanges(cursor)).changes).toEqual([{ userId: 'bob', banned: true }]);
  cursor = await exactCursor();
  await query(`update user_bans set lifted = true`);
  expect((await bans.listChanges(cursor)).changes).toEqual([{ userId: 'bob', banned: false }]);
});

/** Older than any time that a reader might go back by. */
const longAgo = new Date(Date.now() - 3_600_000);

test.each([
  ['a ban', `insert into user_bans (user_id, banned_by, reason, changed_at) values ('slow', 'root', '', $1)`, 'slow'],
  ['a second ban', `update user_bans set lifted = false, changed_at = $1 where user_id = 'lifted'`, 'lifted'],
  ['a ban that is lifted', `update user_bans set lifted = true, changed_at = $1 where user_id = 'banned'`, 'banned'],
])('%s is in the answer after its commit, however long that takes', async (_, statement, userId) => {
  await bans.ban(root, 'banned', '', undefined);
  await bans.ban(root, 'lifted', '', undefined);
  await bans.lift(root, 'lifted');
  await age();
  const slow = await storage.connect();
  await slow.query('begin');
  await slow.query(statement, [longAgo]);
  let { cursor } = await bans.listChanges();
  for (const other of ['a', 'b']) {
    await bans.ban(root, other, '', undefined);
    const answer = await bans.listChanges(cursor);
    expect(answer.changes).toContainEqual({ userId: other, banned: true });
    cursor = answer.cursor;
  }

  await slow.query('commit');

  const { changes } = await bans.listChanges(cursor);
  expect(changes.filter((change) => change.userId === userId)).toEqual([{ userId, banned: userId !== 'banned' }]);
});
