import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { User } from '../../model/user.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { testPresence } from './presence-conformance.ts';
import type { PresenceStore } from './presence-store.ts';
import { SharedPresence } from './shared-presence.ts';

const options = { heartbeatMs: 100, deadAfterMs: 1_500, patienceMs: 1_000 };

/** The server behind a store, with the faults that tests need. */
export interface StoreServer {
  /** Opens a connection of its own to the current store. */
  open(deadAfterMs: number): PresenceStore;
  /** Makes `open` connect to an empty store from now on. */
  reset(): void | Promise<void>;
  /** Makes the store lose all its data, as in a crash. */
  lose(): Promise<void>;
  /** Makes the store unreachable until `restore`. */
  cut(): Promise<void>;
  restore(): Promise<void>;
}

/** Registers the tests that SharedPresence must pass with every store. */
export function testSharedPresence(server: () => StoreServer): void {
  const nodes: TestNode[] = [];
  beforeEach(() => server().reset());
  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.close();
  });

  const start = async () => {
    const node = new TestNode(server().open(options.deadAfterMs));
    nodes.push(node);
    await node.presence.start();
    return node;
  };
  const online = async ({ presence }: TestNode) => (await presence.list(100)).map(({ id }) => id);
  const come = async ({ presence }: TestNode, id: string) => {
    const session = randomUUID();
    await presence.enter(session, { id, name: `name of ${id}` });
    return session;
  };

  describe('a presence across nodes', () => {
    testPresence(async () => {
      await server().reset();
      return [(await start()).presence, (await start()).presence];
    });
  });

  test('the users of a dead node go offline, and exactly one other node announces each', async () => {
    const [dead, one, two] = [await start(), await start(), await start()];
    for (const id of ['alice', 'bob', 'carol']) await come(dead, id);
    await come(one, 'bob');
    expect(await online(two)).toEqual(['alice', 'bob', 'carol']);
    dead.pause();
    await eventually(async () => expect(await online(two)).toEqual(['bob']));
    await eventually(() => expect(one.gone.length + two.gone.length).toBeGreaterThan(0));
    await beats(two, 3);
    expect([...one.gone, ...two.gone].sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
      { id: 'alice', name: 'name of alice' },
      { id: 'carol', name: 'name of carol' },
    ]);
  });

  test('sweep returns the users who were online only on the removed node, each to one caller', async () => {
    const store = server().open(options.deadAfterMs);
    const [dead, living] = [randomUUID(), randomUUID()];
    const [alice, bob] = ['alice', 'bob'].map((id) => ({ id, name: `name of ${id}` })) as [User, User];
    await store.replace(dead, 1, [alice, bob]);
    await store.replace(living, 1, [bob]);
    expect(await store.sweep()).toEqual([]);
    await store.abandon(dead);
    expect((await Promise.all([store.sweep(), store.sweep(), store.sweep()])).flat()).toEqual([alice]);
    expect(await store.list(10)).toEqual([bob]);
    expect(await store.beat(dead, 1)).toBe(false);
    expect(await store.change(dead, 2, { present: [alice], absent: [] })).toBeUndefined();
    expect(await store.list(10)).toEqual([bob]);
  });

  test('a node that was counted as dead enters its users again and announces that they are online', async () => {
    const [paused, other] = [await start(), await start()];
    await come(paused, 'alice');
    paused.pause();
    await eventually(() => expect(other.gone).toHaveLength(1));
    paused.resume();
    await eventually(async () => expect(await online(other)).toEqual(['alice']));
    await eventually(() => expect(paused.back.map(({ id }) => id)).toEqual(['alice']));
    expect(paused.gone).toEqual([]);
  });

  test('a node that is silent for less than deadAfterMs keeps its users', async () => {
    const [paused, other] = [await start(), await start()];
    await come(paused, 'alice');
    paused.pause();
    await beats(other, 3);
    paused.resume();
    await beats(paused, 2);
    expect(await online(other)).toEqual(['alice']);
    expect([other.gone, paused.back]).toEqual([[], []]);
  });

  test('another node announces the users that a closing node hands over', async () => {
    const [closing, other] = [await start(), await start()];
    // A node does not sweep for deadAfterMs after its start.
    await eventually(async () => expect(performance.now() - other.startedAt).toBeGreaterThan(options.deadAfterMs));
    const session = await come(closing, 'alice');
    await closing.presence.leave(session);
    closing.presence.handOver([{ id: 'alice', name: 'Alice' }]);
    await closing.close();
    expect(await online(other)).toEqual([]);
    await eventually(() => expect(other.gone).toEqual([{ id: 'alice', name: 'Alice' }]));
  });

  test('nodes enter their users again after the store has lost all data', async () => {
    const [here, there] = [await start(), await start()];
    await come(here, 'alice');
    await come(there, 'bob');
    await server().lose();
    await eventually(async () => {
      expect(await online(here)).toEqual(['alice', 'bob']);
      expect(await online(there)).toEqual(['alice', 'bob']);
    });
    await come(here, 'carol');
    expect(await online(there)).toEqual(['alice', 'bob', 'carol']);
    expect([...here.gone, ...there.gone]).toEqual([]);
  });

  test('while the store is unreachable a node uses its own sessions and logs that once; later it shares them again', async () => {
    const [here, there] = [await start(), await start()];
    const alice = await come(here, 'alice');
    await come(there, 'bob');
    await server().cut();
    expect(await here.presence.enter(randomUUID(), { id: 'carol', name: '' })).toBe(true);
    await come(here, 'dave');
    expect(await here.presence.leave(alice)).toBe(true);
    expect(await online(here)).toEqual(['carol', 'dave']);
    expect([await here.presence.isOnline('carol'), await here.presence.isOnline('bob')]).toEqual([true, false]);
    await eventually(() => expect(there.log.lines).toHaveLength(1));
    const long = performance.now() + 2 * options.deadAfterMs;
    await eventually(() => expect(performance.now()).toBeGreaterThan(long));
    // A node that reconnects to the store a little later than others does not count as dead.
    there.pause();
    await server().restore();
    await beats(here, 3);
    there.resume();
    await eventually(async () => expect(await online(there)).toEqual(['bob', 'carol', 'dave']));
    await eventually(async () => expect(await online(here)).toEqual(['bob', 'carol', 'dave']));
    await beats(here, 3);
    expect([...here.gone, ...there.gone]).toEqual([]);
    for (const { log } of [here, there]) expect(log.lines.map(({ level }) => level)).toEqual([40, 30]);
  });

  test('thousands of sessions that begin together cause few writes, and none afterwards', async () => {
    const node = await start();
    const other = await start();
    const users = Array.from({ length: 3_000 }, (_, index) => `user-${String(index).padStart(4, '0')}`);
    await Promise.all(users.map((id) => come(node, id)));
    expect(node.calls.change).toBeLessThan(12);
    expect((await other.presence.list(5_000)).map(({ id }) => id)).toEqual(users);
    const { change } = node.calls;
    await beats(node, 3);
    expect([node.calls.change, node.calls.replace]).toEqual([change, 1]);
    // A sweep of as many users works too.
    node.pause();
    await eventually(() => expect(other.gone.map(({ id }) => id).sort()).toEqual(users));
  });
}

async function beats(node: TestNode, count: number): Promise<void> {
  const from = node.calls.beat;
  await eventually(() => expect(node.calls.beat).toBeGreaterThanOrEqual(from + count));
}

/** A node that can be suspended, as by SIGSTOP. */
class TestNode {
  readonly presence: SharedPresence;
  readonly gone: User[] = [];
  readonly back: User[] = [];
  readonly log = new LogLines();
  readonly calls = { beat: 0, replace: 0, change: 0 };
  readonly startedAt = performance.now();
  #running = Promise.resolve();
  #resume = () => {};

  constructor(store: PresenceStore) {
    const node = this;
    const pausable = new Proxy(store, {
      get(target, name: keyof PresenceStore) {
        return async (...args: unknown[]) => {
          await node.#running;
          if (name in node.calls) node.calls[name as keyof typeof node.calls] += 1;
          return (target[name] as (...args: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    this.presence = new SharedPresence({ store: pausable, log: this.log.logger }, options);
    this.presence.onGone((user) => this.gone.push(user));
    this.presence.onBack((user) => this.back.push(user));
  }

  pause(): void {
    this.#running = new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  resume(): void {
    this.#resume();
  }

  async close(): Promise<void> {
    this.resume();
    await this.presence.close();
  }
}
