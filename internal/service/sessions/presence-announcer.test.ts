import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { ChatPublication } from '../../client/bus/bus.ts';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import { MemoryPresence } from '../../client/presence/memory-presence.ts';
import type { MembershipRepository } from '../../repository/membership-repository.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { withFaults } from '../../testing/faults/with-faults.ts';
import { openTestStorage, type TestStorage, user } from '../../testing/services/test-storage.ts';
import { turns } from '../../testing/turns.ts';
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

function newAnnouncer({
  memberships = storage.memberships,
  maxMembers = 2,
}: {
  memberships?: MembershipRepository;
  maxMembers?: number;
} = {}) {
  return new PresenceAnnouncer({ bus, memberships, presence, log: log.logger }, { graceMs, maxMembers });
}

/** From here on the grace passes only as the test says. */
function holdTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
}

/** A chat of alice's and these, and what is said of her there. */
async function listen(...others: string[]) {
  const { chat } = await storage.chats.createGroup(alice, 'chat', others);
  const told: boolean[] = [];
  await bus.subscribeToChat(chat.id, (publication: ChatPublication) => {
    if (publication.kind !== 'ephemeral' || publication.event.kind !== 'presence') return expect.unreachable();
    expect(publication).toEqual({
      kind: 'ephemeral',
      event: { kind: 'presence', chatId: chat.id, user: alice, online: publication.event.online },
    });
    told.push(publication.event.online);
  });
  return { told, states: () => told };
}

/** Tells of a session's begin and end as the registry does. */
async function visit(announcer: PresenceAnnouncer) {
  const sessionId = randomUUID();
  if (await presence.enter(sessionId, alice)) announcer.online(alice);
  return async () => {
    if (await presence.leave(sessionId)) announcer.offline(alice);
  };
}

test('users are announced in small chats as they come online, and once they have been away for a while', async () => {
  const [small, large] = [await listen('bob'), await listen('bob', 'carol')];
  const announcer = newAnnouncer();
  const leave = await visit(announcer);
  await eventually(() => expect(small.states()).toEqual([true]));
  holdTime();
  await leave();
  await vi.advanceTimersByTimeAsync(graceMs - 1);
  await turns(50);
  expect(small.states()).toEqual([true]);
  vi.advanceTimersByTime(1);
  vi.useRealTimers();
  await eventually(() => expect(small.states()).toEqual([true, false]));
  expect(large.states()).toEqual([]);
});

test('a user who is back in time is not announced', async () => {
  const { states } = await listen('bob');
  const announcer = newAnnouncer();
  let leave = await visit(announcer);
  for (let i = 0; i < 5; i += 1) {
    await leave();
    leave = await visit(announcer);
  }
  await eventually(() => expect(states()).toEqual([true]));
  await leave();
  await eventually(() => expect(states()).toEqual([true, false]));
});

test('a user who went is announced once, and again on coming back', async () => {
  const { states } = await listen('bob');
  const announcer = newAnnouncer();
  await (await visit(announcer))();
  await eventually(() => expect(states().at(-1)).toBe(false));
  const leave = await visit(announcer);
  await eventually(() => expect(states().at(-1)).toBe(true));
  await leave();
});

test('a user who is online by another node meanwhile is not announced as offline', async () => {
  const { states } = await listen('bob');
  const here = newAnnouncer();
  const leave = await visit(here);
  await eventually(() => expect(states()).toEqual([true]));
  await leave();
  // As a session on another node does; that node announces it.
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

test('storage that fails costs the announcement only, and is logged', async () => {
  const { states } = await listen('bob');
  let failing = true;
  const memberships = withFaults(storage.memberships, (real) => ({
    listSmallChats: (...args) => (failing ? Promise.reject(new Error('away')) : real.listSmallChats(...args)),
  }));
  const announcer = newAnnouncer({ memberships });
  const leave = await visit(announcer);
  await eventually(() => expect(log.lines).toHaveLength(1));
  expect(log.lines[0]).toMatchObject({ level: 40, userId: 'alice', err: { message: 'away' } });
  failing = false;
  await leave();
  await eventually(() => expect(states()).toEqual([false]));
});

test('once stopped, it announces nobody as offline', async () => {
  const { states } = await listen('bob');
  const announcer = newAnnouncer();
  const leave = await visit(announcer);
  await eventually(() => expect(states()).toEqual([true]));
  holdTime();
  await leave();
  announcer.stop();
  expect(vi.getTimerCount()).toBe(0);
  expect(states()).toEqual([true]);
});
