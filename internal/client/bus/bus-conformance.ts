import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import type { UserPublication } from '../../model/publication.ts';
import { eventually } from '../../testing/eventually.ts';
import { chatPublications } from '../../testing/fields/one-of-each.ts';
import type { Bus, ChatPublication, Unsubscribe } from './bus.ts';

/**
 * Registers the tests that every bus must pass. `connect` connects another node to the same bus; for a bus of a single process it returns the same
 * object again. A bus may lose publications, but these tests never disconnect it from its broker.
 */
export function testBus(connect: () => Promise<Bus>): void {
  const buses: Bus[] = [];
  const open = async () => {
    const bus = await connect();
    buses.push(bus);
    return bus;
  };
  afterEach(async () => {
    for (const bus of buses.splice(0)) await bus.close();
  });

  const hear = async (bus: Bus, chatId: string) => {
    const heard: ChatPublication[] = [];
    const unsubscribe = await bus.subscribeToChat(chatId, (publication) => heard.push(publication));
    return { heard, unsubscribe };
  };

  describe('a publication', () => {
    test('reaches every subscriber of the chat on every node, unchanged, and no other subscriber', async () => {
      const [here, there] = [await open(), await open()];
      const [chatId, other] = [randomUUID(), randomUUID()];
      const [one, two, three, stranger] = [
        await hear(here, chatId),
        await hear(here, chatId),
        await hear(there, chatId),
        await hear(there, other),
      ];
      for (const publication of chatPublications) here.publishToChat(chatId, publication);
      here.publishToChat(other, { kind: 'head', seq: 1 });

      await eventually(() => {
        for (const { heard } of [one, two, three]) expect(heard).toEqual(chatPublications);
        expect(stranger.heard).toEqual([{ kind: 'head', seq: 1 }]);
      });
    });

    test('does not reach a handler that was unsubscribed, while others of the chat remain or not', async () => {
      const bus = await open();
      const chatId = randomUUID();
      const [gone, stays] = [await hear(bus, chatId), await hear(bus, chatId)];
      await gone.unsubscribe();
      await gone.unsubscribe();
      bus.publishToChat(chatId, { kind: 'head', seq: 1 });
      await eventually(() => expect(stays.heard).toHaveLength(1));
      await stays.unsubscribe();
      const again = await hear(bus, chatId);
      bus.publishToChat(chatId, { kind: 'head', seq: 2 });
      await eventually(() => expect(again.heard).toEqual([{ kind: 'head', seq: 2 }]));
      expect([gone.heard, stays.heard]).toEqual([[], [{ kind: 'head', seq: 1 }]]);
    });

    test('without subscribers does nothing', async () => {
      const bus = await open();
      bus.publishToChat(randomUUID(), { kind: 'deleted' });
      bus.publishMembershipChange([]);
      bus.publishMembershipChange(['nobody']);
    });
  });

  test.each(Object.entries(userPublications))(
    'a publication to a user reaches their sessions on every node: %s',
    async (_, { publish, subscribe }) => {
      const [here, there] = [await open(), await open()];
      const users = [randomUUID(), `${randomUUID()} *.>:$#`, randomUUID()];
      const heard = new Map<string, number>();
      const unsubscribes = await Promise.all(
        users.map((userId) => subscribe(there, userId, () => heard.set(userId, (heard.get(userId) ?? 0) + 1))),
      );
      publish(here, users.slice(0, 2));
      await eventually(() => expect(users.map((userId) => heard.get(userId))).toEqual([1, 1, undefined]));
      await unsubscribes[0]!();
      publish(here, users);
      await eventually(() => expect(users.map((userId) => heard.get(userId))).toEqual([1, 2, 1]));
    },
  );
}

interface UserChannel {
  publish(bus: Bus, userIds: readonly string[]): void;
  subscribe(bus: Bus, userId: string, handler: () => void): Promise<Unsubscribe>;
}

/** How each kind is published and subscribed to. A missing kind does not compile. */
const userPublications: { [K in UserPublication['kind']]: UserChannel } = {
  membership_changed: {
    publish: (bus, userIds) => bus.publishMembershipChange(userIds),
    subscribe: (bus, userId, handler) => bus.subscribeToMemberships(userId, handler),
  },
};
