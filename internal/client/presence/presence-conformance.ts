import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import type { Presence } from './presence.ts';

/** Registers the tests that every presence must pass. `create` returns an empty presence as two nodes see it; within one process, the same object twice. */
export function testPresence(create: () => Promise<[Presence, Presence]>): void {
  const opened: Presence[] = [];
  const open = async () => {
    const both = await create();
    opened.push(...both);
    return both;
  };
  afterEach(async () => {
    for (const presence of opened.splice(0)) await presence.close();
  });

  const ids = async (presence: Presence) => (await presence.list(100)).map(({ id }) => id);

  test('a user is online until their last session on any node ends', async () => {
    const [here, there] = await open();
    const [one, two] = [randomUUID(), randomUUID()];
    expect(await here.enter(one, { id: 'alice', name: 'Alice' })).toBe(true);
    expect(await there.enter(two, { id: 'alice', name: 'Alice' })).toBe(false);
    expect(await here.leave(one)).toBe(false);
    expect([await ids(here), await ids(there)]).toEqual([['alice'], ['alice']]);
    expect([await here.isOnline('alice'), await there.isOnline('alice')]).toEqual([true, true]);
    expect(await there.leave(two)).toBe(true);
    expect([await ids(here), await ids(there)]).toEqual([[], []]);
    expect([await here.isOnline('alice'), await there.isOnline('alice')]).toEqual([false, false]);
  });

  test('leave ignores a session that has not entered', async () => {
    const [presence] = await open();
    const session = randomUUID();
    await presence.leave(session);
    await presence.enter(session, { id: 'alice', name: '' });
    await presence.leave(session);
    await presence.leave(session);
    expect(await ids(presence)).toEqual([]);
  });

  test('users are listed in the order of their ids, page by page, with their latest names', async () => {
    const [here, there] = await open();
    const users = ['b', 'B', 'a:1', 'é', '10', '9', 'guest:x'];
    for (const id of users) await here.enter(randomUUID(), { id, name: 'old' });
    for (const id of users) await there.enter(randomUUID(), { id, name: `name of ${id}` });
    const paged: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await there.list(2, after);
      if (page.length === 0) break;
      for (const { id, name } of page) expect(name).toBe(`name of ${id}`);
      paged.push(...page.map(({ id }) => id));
      after = paged.at(-1);
    }
    expect(paged).toEqual(users.toSorted());
    expect(await ids(here)).toEqual(paged);
  });

  test('filterOnline returns the users who are online, with their latest names', async () => {
    const [here, there] = await open();
    await here.enter(randomUUID(), { id: 'alice', name: 'Alice' });
    await here.enter(randomUUID(), { id: 'bob', name: 'old' });
    await there.enter(randomUUID(), { id: 'bob', name: 'Bob' });
    await there.enter(randomUUID(), { id: 'carol', name: 'Carol' });
    const session = randomUUID();
    await there.enter(session, { id: 'dave', name: 'Dave' });
    await there.leave(session);
    const many = Array.from({ length: 1_500 }, (_, index) => `nobody-${index}`);
    for (const presence of [here, there]) {
      const found = await presence.filterOnline([...many, 'dave', 'bob', 'alice', '']);
      expect(found.toSorted((one, next) => (one.id < next.id ? -1 : 1))).toEqual([
        { id: 'alice', name: 'Alice' },
        { id: 'bob', name: 'Bob' },
      ]);
      expect(await presence.filterOnline([])).toEqual([]);
    }
  });

  test('after many quick begins and ends of sessions, exactly the users with a session are online', async () => {
    const nodes = await open();
    const users = Array.from({ length: 20 }, (_, index) => `user-${String(index).padStart(2, '0')}`);
    const sessions = new Map<string, { node: Presence; userId: string }>();
    const changes: Promise<boolean>[] = [];
    for (let step = 0; step < 1_000; step += 1) {
      const userId = users[Math.floor(Math.random() * users.length)]!;
      const node = nodes[step % 2]!;
      const open = [...sessions].find(([, session]) => session.node === node && session.userId === userId);
      if (open) {
        sessions.delete(open[0]);
        changes.push(node.leave(open[0]));
      } else {
        const id = randomUUID();
        sessions.set(id, { node, userId });
        changes.push(node.enter(id, { id: userId, name: '' }));
      }
      if (step % 50 === 0) await changes.at(-1);
    }
    await Promise.all(changes);
    const online = [...new Set([...sessions.values()].map(({ userId }) => userId))].sort();
    for (const node of nodes) expect(await ids(node)).toEqual(online);
  });
}
