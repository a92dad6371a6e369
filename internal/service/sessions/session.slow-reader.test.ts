import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SendMessageRequest } from '../../../pkg/api/chat/v1/chat.ts';
import { eventually } from '../../testing/eventually.ts';
import { FaultyMessages } from '../../testing/faults/faulty-messages.ts';
import { withFaults } from '../../testing/faults/with-faults.ts';
import { principalOf, startTestNode, type TestNode, type TestStream } from '../../testing/services/test-node.ts';
import { openTestStorage, type TestStorage } from '../../testing/services/test-storage.ts';

const outboxBytes = 20_000;
const pageSize = 10;
const text = 'x'.repeat(1_000);
/** A page of the longest messages, with all that is around the text. */
const pageBytes = pageSize * 1_300;

let storage: TestStorage;
let node: TestNode;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterEach(() => node.stop());
afterAll(() => storage.close());

const alice = principalOf('alice');

async function start(options: Parameters<typeof startTestNode>[1] = {}): Promise<void> {
  const session = { outboxBytes, pageSize, frameBytes: 4_000 };
  node = await startTestNode(storage, {
    hub: { recentChars: 5_000 },
    writer: { maxBatch: pageSize },
    ...options,
    session,
  });
}

async function newChat(): Promise<string> {
  const { chat } = await node.service.createChat(alice, { type: 'GROUP', name: 'chat', memberIds: ['bob'] });
  return chat.id;
}

async function write(chatId: string, count: number): Promise<void> {
  const send = () => node.service.sendMessage(alice, { chatId, clientMessageId: randomUUID(), text });
  await Promise.all(Array.from({ length: count }, send));
}

async function reader(chatIds: string[], afterSeq = 0): Promise<TestStream> {
  const stream = node.open('bob');
  for (const chatId of chatIds) stream.subscribe(chatId, afterSeq);
  await eventually(() => expect(stream.of('caughtUp')).toHaveLength(chatIds.length));
  return stream;
}

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe('a reader that does not read', () => {
  test('costs bounded memory, and gets everything once and in order when it reads again', async () => {
    await start();
    const chatId = await newChat();
    const [slow, fast] = [await reader([chatId]), await reader([chatId])];
    slow.pause();
    let most = 0;
    for (let i = 0; i < 20; i += 1) {
      await write(chatId, 20);
      most = Math.max(most, slow.session.queuedBytes);
    }
    await eventually(() => expect(fast.numbers(chatId)).toEqual(upTo(401)));
    expect(slow.numbers(chatId).length).toBeLessThan(20);
    expect(most).toBeGreaterThan(outboxBytes / 2);
    expect(most).toBeLessThan(outboxBytes + pageBytes);

    slow.resume();
    await eventually(() => expect(slow.numbers(chatId)).toHaveLength(401));

    expect(slow.numbers(chatId)).toEqual(upTo(401));
    expect(slow.mostQueued).toBeLessThan(outboxBytes + pageBytes);
    await write(chatId, 1);
    await eventually(() => expect(slow.numbers(chatId).at(-1)).toBe(402));
    expect(slow.of('caughtUp')).toHaveLength(1);
  });

  test('of many chats costs no more', async () => {
    await start();
    const chatIds = await Promise.all(Array.from({ length: 8 }, newChat));
    for (const chatId of chatIds) await write(chatId, 40);
    const behind = node.open('bob', { paused: true });
    const live = await reader(chatIds, 41);
    live.pause();
    for (const chatId of chatIds) behind.subscribe(chatId, 0);
    await eventually(() => expect(behind.session.queuedBytes).toBeGreaterThan(0));
    let most = 0;
    for (const chatId of chatIds) {
      await write(chatId, 20);
      most = Math.max(most, behind.session.queuedBytes, live.session.queuedBytes);
    }
    expect(most).toBeLessThan(outboxBytes + pageBytes);
    behind.resume();
    live.resume();
    for (const chatId of chatIds) {
      await eventually(() => expect(behind.numbers(chatId)).toEqual(upTo(61)));
      await eventually(() => expect(live.numbers(chatId)).toEqual(upTo(61, 42)));
    }
    expect(Math.max(behind.mostQueued, live.mostQueued)).toBeLessThan(outboxBytes + pageBytes);
  });

  test('of one chat far behind still gets the messages of the others meanwhile', async () => {
    await start();
    const [long, short] = [await newChat(), await newChat()];
    await write(long, 300);
    const stream = node.open('bob', { paused: true });
    stream.subscribe(long, 0);
    stream.subscribe(short, 0);
    await eventually(() => expect(node.hub.size).toBe(2));
    stream.resume();
    await eventually(() => expect(stream.numbers(long)).toHaveLength(301));
    const order = stream.of('message').map(({ chatId }) => chatId);
    expect(order.indexOf(short)).toBeLessThan(100);
    await write(short, 1);
    await eventually(() => expect(stream.numbers(short)).toEqual([1, 2]));
  });

  test('is not answered beyond its room either when all the commands come in one frame', async () => {
    await start();
    const stream = node.open('bob', { paused: true });
    const commands = Array.from({ length: 4_000 }, (_, i) => ({
      kind: 'ping' as const,
      commandId: `${i} ${'x'.repeat(50)}`,
    }));
    stream.send(...commands);
    await eventually(() => expect(stream.session.queuedBytes).toBeGreaterThan(outboxBytes));
    expect(stream.session.queuedBytes).toBeLessThan(outboxBytes + 1_000);
    stream.resume();
    stream.halfClose();
    await stream.ended;
    expect(stream.of('pong')).toHaveLength(commands.length);
    expect(stream.mostQueued).toBeLessThan(outboxBytes + 1_000);
  });

  test('can still send, but reads commands only as fast as it takes their answers', async () => {
    await start();
    const chatId = await newChat();
    const stream = node.open('bob', { paused: true });
    const commands = 4_000;
    for (let i = 0; i < commands; i += 1) stream.send({ kind: 'ping', commandId: `${i} ${'x'.repeat(50)}` });
    await write(chatId, 5);
    await eventually(() => expect(stream.session.queuedBytes).toBeGreaterThan(outboxBytes));
    expect(stream.session.queuedBytes).toBeLessThan(outboxBytes + 1_000);
    stream.resume();
    stream.send(
      node.command('last', {
        $case: 'sendMessage',
        value: SendMessageRequest.fromPartial({ chatId, clientMessageId: 'x', text }),
      }),
    );
    stream.halfClose();
    await stream.ended;
    expect(stream.of('pong')).toHaveLength(commands);
    expect(stream.of('accepted').map(({ commandId }) => commandId)).toEqual(['last']);
    expect(stream.mostQueued).toBeLessThan(outboxBytes + 5_000);
  });
});

test('a reader that is only a little behind is served from memory', async () => {
  let pages = 0;
  const messages = withFaults(storage.messages, (real) => ({
    findChangesAsMember(...args) {
      pages += 1;
      return real.findChangesAsMember(...args);
    },
  }));
  await start({ messages, hub: { recentChars: 100_000 } });
  const chatId = await newChat();
  const first = await reader([chatId]);
  await write(chatId, 10);
  await eventually(() => expect(first.numbers(chatId)).toEqual(upTo(11)));
  pages = 0;
  const second = await reader([chatId], 5);
  expect(second.numbers(chatId)).toEqual(upTo(11, 6));
  expect(pages).toBe(0);
});

describe('sends that wait for their commit', () => {
  test('are bounded in number; further commands wait, and all are answered in the end', async () => {
    const messages = new FaultyMessages(storage.messages);
    node = await startTestNode(storage, {
      messages: messages.repository,
      session: { maxPendingSends: 5 },
      writer: { maxBatch: 100 },
    });
    const chatId = await newChat();
    const release = messages.hold();
    const stream = node.open('alice');
    for (let i = 0; i < 8; i += 1) {
      stream.send(
        node.command(`${i}`, {
          $case: 'sendMessage',
          value: SendMessageRequest.fromPartial({ chatId, clientMessageId: `${i}`, text: `${i}` }),
        }),
      );
    }
    stream.send({ kind: 'ping', commandId: 'after' });
    await eventually(() => expect(messages.batches.length).toBeGreaterThan(0));
    expect(stream.of('pong')).toEqual([]);
    release();
    await eventually(() => expect(stream.of('pong')).toHaveLength(1));
    await eventually(() => expect(stream.of('accepted')).toHaveLength(8));
    expect(stream.of('accepted').map(({ commandId, seq }) => [commandId, seq])).toEqual(
      upTo(8, 1).map((i) => [`${i - 1}`, i + 1]),
    );
    expect(Math.max(...messages.batches.map(({ length }) => length))).toBeLessThanOrEqual(5);
  });
});
