import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockWaits } from '../../../testing/faults/row-lock.ts';
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

  const { changes } = await bans.listChanges();

  expect(changes).toHaveLength(2);
  expect(changes).toContainEqual({ userId: 'for good', banned: true });
  expect(changes).toContainEqual({ userId: 'for a while', banned: true, expiresAt });
});

test('the feed continues with the changes since its cursor, lifted bans included', async () => {
  await bans.ban(root, 'old', '', undefined);
  await bans.ban(root, 'lifted', '', undefined);
  await age();
  const { cursor } = await bans.listChanges();
  expect((await bans.listChanges(cursor)).changes).toEqual([]);

  await bans.lift(root, 'lifted');
  await bans.ban(root, 'new', '', undefined);

  const { changes, cursor: next } = await bans.listChanges(cursor);
  expect(changes).toHaveLength(2);
  expect(changes).toContainEqual({ userId: 'lifted', banned: false });
  expect(changes).toContainEqual({ userId: 'new', banned: true });
  await age();
  expect((await bans.listChanges(next)).changes).toEqual([]);
});

test('a ban that was written before a read and committed after it is in the next answer', async () => {
  const slow = await storage.connect();
  await slow.query('begin');
  await slow.query(`insert into user_bans (user_id, banned_by, reason) values ('slow', 'root', '')`);
  const { changes, cursor } = await bans.listChanges();
  expect(changes).toEqual([]);

  await slow.query('commit');

  expect((await bans.listChanges(cursor)).changes).toEqual([{ userId: 'slow', banned: true }]);
});

test('a ban that waited for another one of the same user counts as changed when it continued', async () => {
  const first = await storage.connect();
  await bans.ban(root, 'bob', '', undefined);
  await bans.lift(root, 'bob');
  await first.query('begin');
  await first.query(`select from user_bans where user_id = 'bob' for update`);
  const waits = bans.ban(root, 'bob', '', undefined);
  await lockWaits(storage.dsn, 1);
  const { rows } = await query('select clock_timestamp()::text as now');

  await first.query('commit');
  await waits;

  const later = await query(`select from user_bans where changed_at > '${rows[0].now}'`);
  expect(later.rowCount).toBe(1);
});

test('a cursor from the future of a clock that was set back leaves nothing out', async () => {
  await bans.ban(root, 'bob', '', undefined);
  expect((await bans.listChanges('2999-01-01 00:00:00+00')).changes).toEqual([{ userId: 'bob', banned: true }]);
});
