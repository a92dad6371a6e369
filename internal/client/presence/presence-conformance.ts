import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import type { Presence } from './presence.ts';

/** What every presence must do. `create` gives one with nobody in it, as two nodes see it; in one process, twice the same. */
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

  test('a user is online until the last of their sessions ends, wherever those are', async () => {
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

  test('a session that is not there may leave', async () => {
    const [presence] = await open();
    const session = randomUUID();
    await presence.leave(session);
    await presence.enter(session, { id: 'alice', name: '' });
    await presence.leave(session);
    await presence.leave(session);
    expect(await ids(presence)).toEqual([]);
  });

  test('users are listed by id, page by page, by the name that they gave last', async () => {
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
}
