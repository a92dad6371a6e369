import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Principal } from '../../model/principal.ts';
import { eventually } from '../../testing/eventually.ts';
import { withFaults } from '../../testing/faults/with-faults.ts';
import { principalOf, startTestNode, type TestNode, type TestStream } from '../../testing/services/test-node.ts';
import { openTestStorage, type TestStorage } from '../../testing/services/test-storage.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

const alice = principalOf('alice');

/** A node that compares itself with the database only when it must, and does `afterNextRead` once it has read the heads of chats. */
class Node {
  afterNextRead: (() => Promise<unknown>) | undefined;
  readonly node: TestNode;
  readonly chatId: string;
  /** The other member of the chat, whom no other test knows. */
  readonly bob: Principal;

  private constructor(node: TestNode, chatId: string, bob: Principal) {
    this.node = node;
    this.chatId = chatId;
    this.bob = bob;
  }

  static async start(): Promise<Node> {
    const messages = withFaults(storage.messages, (real) => ({
      listHeads: async (chatIds) => {
        const heads = await real.listHeads(chatIds);
        const then = started.afterNextRead;
        started.afterNextRead = undefined;
        await then?.();
        return heads;
      },
    }));
    const node = await startTestNode(storage, { messages, hub: { repairIntervalMs: 3_600_000, lingerMs: 0 } });
    onTestFinished(() => node.stop());
    const bob = principalOf(`bob-${randomUUID()}`);
    const { chat } = await node.service.createChat(alice, { type: 'GROUP', name: 'chat', memberIds: [bob.userId] });
    const started: Node = new Node(node, chat.id, bob);
    return started;
  }

  async say(...texts: string[]): Promise<void> {
    for (const text of texts) {
      await this.node.service.sendMessage(alice, { chatId: this.chatId, clientMessageId: randomUUID(), text });
    }
  }

  /** Makes the database what it is after a restore that lost the numbers after `seq`, and which then went on with other messages. */
  async goBack(seq: number, ...texts: string[]): Promise<void> {
    const { pool, epochs } = storage.database;
    await pool.query('delete from messages where chat_id = $1 and seq > $2', [this.chatId, seq]);
    await pool.query('update chats set last_seq = $2 where id = $1', [this.chatId, seq]);
    await epochs.begin(pool);
    await epochs.refresh();
    await this.say(...texts);
  }

  heard(stream: TestStream): string[] {
    return stream.events.flatMap((event) => {
      if (event.$case === 'message') return `${event.value.seq} ${event.value.text}`;
      if (event.$case === 'reset') return `reset ${event.value.fromSeq}`;
      return [];
    });
  }
}

test.each(['subscribe', 'subscribe_all'] as const)(
  '%s starts in the epoch that begins while its topic is made',
  async (kind) => {
    const started = await Node.start();
    const { bob, chatId, node } = started;
    await started.say('a', 'b', 'lost 1', 'lost 2');
    const cursor = { seq: 5, epoch: storage.database.epochs.current };
    started.afterNextRead = () => started.goBack(3, 'new 1', 'new 2', 'new 3');
    const stream = node.open(bob.userId);
    if (kind === 'subscribe') stream.send({ kind, commandId: '1', chatId, cursor });
    else stream.send({ kind, commandId: '1', cursors: new Map([[chatId, cursor]]), others: 'NOW' });

    await eventually(() => expect(started.heard(stream)).toEqual(['reset 3', '4 new 1', '5 new 2', '6 new 3']));
    const { current } = storage.database.epochs;
    expect(stream.of('subscribed')).toMatchObject([{ afterSeq: 3, headSeq: 6, epoch: current }]);
  },
);

test('a reader that is added again goes on from what is the same in the epoch that has begun since', async () => {
  const started = await Node.start();
  const { bob, chatId, node } = started;
  const stream = node.open(bob.userId);
  stream.send({ kind: 'subscribe_all', commandId: '1', cursors: new Map(), others: 'NOW' });
  await eventually(() => expect(stream.of('accepted')).toHaveLength(1));
  await started.say('a', 'b', 'lost 1', 'lost 2');
  await eventually(() => expect(stream.numbers(chatId).at(-1)).toBe(5));
  await node.service.removeMember(alice, chatId, bob.userId);
  await eventually(() => expect(stream.of('chatRemoved')).toHaveLength(1));
  await started.goBack(3, 'new 1', 'new 2', 'new 3');

  await node.service.addMembers(alice, chatId, [bob.userId]);
  await started.say('with you');

  const added = () => started.heard(stream).slice(started.heard(stream).indexOf('5 lost 2') + 1);
  await eventually(() => expect(added().at(-1)).toBe('8 with you'));
  expect(added()).toEqual(['reset 3', '4 new 1', '5 new 2', '6 new 3', '7 ', '8 with you']);
});
