import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../testing/eventually.ts';
import { principalOf, startTestNode, type TestStream } from '../../testing/services/test-node.ts';
import { openTestStorage, type TestStorage } from '../../testing/services/test-storage.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

/** What a stream received: numbers, and the versions of messages. */
function received({ events }: TestStream): string[] {
  return events.flatMap((event) => {
    if (event.$case === 'message') return `${event.value.seq} in ${event.value.updateSeq}`;
    if (event.$case === 'covered') return `covered ${event.value.fromSeq}`;
    if (event.$case !== 'messageChanged') return [];
    return `${event.value.message?.updateSeq}: ${event.value.message?.seq} in ${event.value.message?.updateSeq}`;
  });
}

test('a reader that has got a change with a page does not get an earlier one from a topic that lacks it', async () => {
  // The topic waits for stragglers for ever.
  const hub = { repairIntervalMs: 3_600_000, stragglerMs: 3_600_000 };
  const node = await startTestNode(storage, { hub, session: { pageSize: 2 } });
  onTestFinished(() => node.stop());
  const [alice, bob] = [principalOf('alice'), principalOf('bob')];
  const { chat } = await node.service.createChat(alice, { type: 'GROUP', name: 'chat', memberIds: ['bob'] });
  const chatId = chat.id;
  const live = node.open('alice');
  live.send({ kind: 'subscribe', commandId: '1', chatId, cursor: undefined });
  await eventually(() => expect(live.of('subscribed')).toHaveLength(1));
  const say = (text: string) => node.service.sendMessage(alice, { chatId, clientMessageId: randomUUID(), text });
  const { messageId } = await say('two');
  await say('three');
  const change = { chatId, messageId, clientChangeId: 'edit', ifVersion: undefined };
  await node.changes.editMessage(alice, { ...change, text: 'edited' });
  await eventually(() => expect(received(live)).toEqual(['2 in 2', '3 in 3', '4: 2 in 4']));
  // Nobody publishes this one.
  await storage.edit({ chatId, id: messageId }, 'edited again');

  const late = node.open(bob.userId);
  late.send({ kind: 'subscribe', commandId: '1', chatId, cursor: { seq: 0, epoch: '' } });
  await eventually(() => expect(late.of('caughtUp')).toHaveLength(1));
  expect(received(late)).toEqual(['1 in 1', '2 in 5', '3 in 3', 'covered 4', '5: 2 in 5']);
});
