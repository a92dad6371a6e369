import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import type { Message } from '../../model/message.ts';
import { eventually } from '../../testing/eventually.ts';
import type { Bus, ChatPublication } from './bus.ts';

/**
 * What every bus must do. `connect` gives another node's end of the same bus; for a bus of one process, the same one again.
 * A bus may lose publications, but none of these tests cuts it off from its broker.
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
    test('reaches every subscriber of the chat on every node, whole, and nobody else', async () => {
      const [here, there] = [await open(), await open()];
      const [chatId, other] = [randomUUID(), randomUUID()];
      const [one, two, three, stranger] = [
        await hear(here, chatId),
        await hear(here, chatId),
        await hear(there, chatId),
        await hear(there, other),
      ];
      const publications = [
        { kind: 'messages', messages: allMessages(chatId) },
        { kind: 'head', seq: 2 ** 52 },
        { kind: 'deleted' },
      ] as const;

      for (const publication of publications) here.publishToChat(chatId, publication);
      here.publishToChat(other, { kind: 'head', seq: 1 });

      await eventually(() => {
        for (const { heard } of [one, two, three]) expect(heard).toEqual(publications);
        expect(stranger.heard).toEqual([{ kind: 'head', seq: 1 }]);
      });
    });

    test('does not reach one who has unsubscribed, whatever the others do', async () => {
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

    test('to nobody is harmless', async () => {
      const bus = await open();
      bus.publishToChat(randomUUID(), { kind: 'deleted' });
      bus.publishMembershipChange([]);
      bus.publishMembershipChange(['nobody']);
    });
  });

  test('a change of memberships reaches the sessions of these users on every node', async () => {
    const [here, there] = [await open(), await open()];
    const users = [randomUUID(), `${randomUUID()} *.>:$#`, randomUUID()];
    const heard = new Map<string, number>();
    const unsubscribes = await Promise.all(
      users.map((userId) =>
        there.subscribeToMemberships(userId, () => heard.set(userId, (heard.get(userId) ?? 0) + 1)),
      ),
    );
    here.publishMembershipChange(users.slice(0, 2));
    await eventually(() => expect(users.map((userId) => heard.get(userId))).toEqual([1, 1, undefined]));
    await unsubscribes[0]!();
    here.publishMembershipChange(users);
    await eventually(() => expect(users.map((userId) => heard.get(userId))).toEqual([1, 2, 1]));
  });
}

/** A message with everything in it, and one of each kind that the service records. */
function allMessages(chatId: string): Message[] {
  const alice = { id: 'alice', name: 'Alice "😀"' };
  const message = {
    id: randomUUID(),
    chatId,
    seq: 1,
    updateSeq: 7,
    sender: alice,
    clientMessageId: 'x',
    text: '\u0001 \\ \' " 日本 😀',
    createdAt: new Date(1_700_000_000_123),
  };
  const events: NonNullable<Message['system']>[] = [
    { kind: 'chat_created' },
    { kind: 'members_added', users: [alice, { id: 'bob', name: '' }] },
    { kind: 'member_removed', user: alice },
    { kind: 'member_joined' },
    { kind: 'member_left' },
    { kind: 'owner_changed', user: alice },
  ];
  const system = events.map((event, i) => ({
    ...message,
    seq: 8 + i,
    updateSeq: 8 + i,
    text: '',
    clientMessageId: '',
    system: event,
  }));
  return [message, ...system];
}
