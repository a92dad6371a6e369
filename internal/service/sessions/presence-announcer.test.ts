import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ChatPublication } from '../../client/bus/bus.ts';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import { MemoryPresence } from '../../client/presence/memory-presence.ts';
import type { MembershipRepository } from '../../repository/membership-repository.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { withFaults } from '../../testing/faults/with-faults.ts';
import { openTestStorage, type TestStorage, user } from '../../testing/services/test-storage.ts';
import { PresenceAnnouncer } from './presence-announcer.ts';

const graceMs = 150;
let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

let bus: MemoryBus;
let presence: MemoryPresence;
let log: LogLines;
beforeEach(() => {
  bus = new MemoryBus();
  presence = new MemoryPresence();
  log = new LogLines('warn');
});

const alice = user('alice');

function newNews({
  memberships = storage.memberships,
  maxMembers = 2,
}: {
  memberships?: MembershipRepository;
  maxMembers?: number;
} = {}) {
  return new PresenceAnnouncer({ bus, memberships, presence, log: log.logger }, { graceMs, maxMembers });
}

/** A chat of alice's and these, and what is said of her there. */
async function listen(...others: string[]) {
  const { chat } = await storage.chats.createGroup(alice, 'chat', others);
  const told: { online: boolean; at: number }[] = [];
  await bus.subscribeToChat(chat.id, (publication: ChatPublication) => {
    if (publication.kind !== 'ephemeral' || publication.event.kind !== 'presence') return expect.unreachable();
    expect(publication).toEqual({
      kind: 'ephemeral',
      event: { kind: 'presence', chatId: chat.id, user: alice, online: publication.event.online },
    });
    told.push({ online: publication.event.online, at: performance.now() });
  });
  return { told, states: () => told.map(({ online }) => online) };
}

/** Tells of a session's begin and end as the registry does. */
async function visit(news: PresenceAnnouncer) {
  const sessionId = randomUUID();
  if (await presence.enter(sessionId, alice)) news.online(alice);
  return async () => {
    if (await presence.leave(sessionId)) news.offline(alice);
  };
}

test('the members of small chats are told who comes, and who has been away for a while', async () => {
  const [small, large] = [await listen('bob'), await listen('bob', 'carol')];
  const news = newNews();
  const leave = await visit(news);
  await eventually(() => expect(small.states()).toEqual([true]));
  const left = performance.now();
  await leave();
  await eventually(() => expect(small.states()).toEqual([true, false]));
  expect(small.told[1]!.at - left).toBeGreaterThanOrEqual(graceMs - 5);
  expect(large.states()).toEqual([]);
});

test('whoever is back in time was never away', async () => {
  const { states } = await listen('bob');
  const news = newNews();
  let leave = await visit(news);
  for (let i = 0; i < 5; i += 1) {
    await leave();
    leave = await visit(news);
  }
  await eventually(() => expect(states()).toEqual([true]));
  await leave();
  await eventually(() => expect(states()).toEqual([true, false]));
});

test('whoever went for good is told once, and is news again when they come back', async () => {
  const { states } = await listen('bob');
  const news = newNews();
  await (await visit(news))();
  await eventually(() => expect(states().at(-1)).toBe(false));
  const leave = await visit(news);
  await eventually(() => expect(states().at(-1)).toBe(true));
  await leave();
});

test('nobody is told of somebody who is here by another way meanwhile', async () => {
  const { states } = await listen('bob');
  const here = newNews();
  const leave = await visit(here);
  await eventually(() => expect(states()).toEqual([true]));
  await leave();
  // As on another node, whose news are its own.
  await presence.enter(randomUUID(), alice);
  let asked = false;
  const { isOnline } = presence;
  presence.isOnline = async (userId) => {
    asked = true;
    return isOnline.call(presence, userId);
  };
  await eventually(() => expect(asked).toBe(true));
  await new Promise(setImmediate);
  expect(states()).toEqual([true]);
});

test('storage that fails costs the news only, and is logged', async () => {
  const { states } = await listen('bob');
  let failing = true;
  const memberships = withFaults(storage.memberships, (real) => ({
    listSmallChats: (...args) => (failing ? Promise.reject(new Error('away')) : real.listSmallChats(...args)),
  }));
  const news = newNews({ memberships });
  const leave = await visit(news);
  await eventually(() => expect(log.lines).toHaveLength(1));
  expect(log.lines[0]).toMatchObject({ level: 40, userId: 'alice', err: { message: 'away' } });
  failing = false;
  await leave();
  await eventually(() => expect(states()).toEqual([false]));
});

test('once stopped, it tells of nobody who went', async () => {
  const { states } = await listen('bob');
  const news = newNews();
  const leave = await visit(news);
  await eventually(() => expect(states()).toEqual([true]));
  await leave();
  news.stop();
  const later = performance.now() + 2 * graceMs;
  await eventually(() => expect(performance.now()).toBeGreaterThan(later));
  expect(states()).toEqual([true]);
});
