import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import { ProtobufEventEncoder } from '../../converter/event.ts';
import { entryOf } from '../../model/entry.ts';
import type { Message } from '../../model/message.ts';
import { eventually } from '../../testing/eventually.ts';
import { type Fate, LossyBus } from '../../testing/faults/lossy-bus.ts';
import { principalOf, startTestNode, type TestNode, type TestStream } from '../../testing/services/test-node.ts';
import { openTestStorage, type TestStorage } from '../../testing/services/test-storage.ts';
import { turns } from '../../testing/turns.ts';

let storage: TestStorage;
let nodes: [TestNode, TestNode];
const bus = new MemoryBus();
let fates: readonly Fate[] = ['arrive'];
let fateIndex = 0;
const fate = (): Fate => fates[fateIndex++ % fates.length]!;
beforeAll(async () => {
  storage = await openTestStorage();
  const options = { hub: { recentChars: 1_500, pageSize: 3 }, session: { outboxBytes: 1_500, pageSize: 3 } };
  nodes = [
    await startTestNode(storage, { bus: new LossyBus(bus, { chat: fate }), ...options }),
    await startTestNode(storage, { bus: new LossyBus(bus, { chat: fate }), ...options }),
  ];
});
afterAll(async () => {
  for (const node of nodes) await node.stop();
  await storage.close();
});

async function newChat(): Promise<string> {
  const { chat } = await nodes[0].service.createChat(principalOf('alice'), {
    type: 'GROUP',
    name: 'chat',
    memberIds: ['bob'],
  });
  return chat.id;
}

async function sendSome(chatId: string, count: number, node = nodes[0], text = ''): Promise<void> {
  const send = (i: number) =>
    node.service.sendMessage(principalOf('alice'), {
      chatId,
      clientMessageId: crypto.randomUUID(),
      text: `${i} ${text}`,
    });
  await Promise.all(Array.from({ length: count }, (_, i) => send(i)));
}

async function log(chatId: string): Promise<Message[]> {
  return (await storage.messages.listHistory(chatId, { afterSeq: 0 }, 10_000)).messages;
}

/** What the wire and the database have in common. */
function essence(messages: readonly { id: string; seq: number; updateSeq: number; text: string }[]) {
  return messages.map(({ id, seq, updateSeq, text }) => `${seq} ${updateSeq} ${id} ${text}`);
}

describe('a reader that resumes', () => {
  test('gets what was queued for it and then the end, when its membership ends before it reads', async () => {
    fates = ['arrive'];
    const chatId = await newChat();
    await sendSome(chatId, 2, nodes[0], 'x'.repeat(100));
    const stream = nodes[0].open('bob', { paused: true });
    await eventually(() => expect(stream.of('welcome')).toHaveLength(1));
    // A frame is on its way, and nobody takes it; the messages wait behind it.
    stream.send({ kind: 'ping', commandId: 'first' });
    await turns(50);
    stream.subscribe(chatId, 1);
    await eventually(() => expect(stream.session.queuedBytes).toBeGreaterThan(350));
    await nodes[0].service.removeMember(principalOf('alice'), chatId, 'bob');
    stream.resume();
    await eventually(() => expect(stream.of('chatRemoved')).toHaveLength(1));
    const kinds = stream.events.map(({ $case }) => $case);
    expect(kinds.slice(kinds.indexOf('subscribed'))).toEqual([
      'subscribed',
      'message',
      'message',
      'caughtUp',
      'chatRemoved',
    ]);
  });

  test('has not caught up before it is where the chat was when it began, though the bus says nothing', async () => {
    fates = ['arrive'];
    const chatId = await newChat();
    // The other node follows the chat already, from its beginning.
    const early = nodes[1].open('bob');
    early.subscribe(chatId);
    await eventually(() => expect(early.of('caughtUp')).toHaveLength(1));
    fates = ['lose'];
    await sendSome(chatId, 4);
    const late = nodes[1].open('alice');
    late.subscribe(chatId, 1);
    await eventually(() => expect(late.of('caughtUp')).toEqual([{ chatId, seq: 5 }]));
    expect(late.numbers(chatId)).toEqual([2, 3, 4, 5]);
    const order = late.events.map(({ $case }) => $case).filter(($case) => $case === 'message' || $case === 'caughtUp');
    expect(order.at(-1)).toBe('caughtUp');
  });

  test('at any number gets exactly the history after it, is sent that it has caught up, and goes on live', async () => {
    fates = ['arrive'];
    const chatId = await newChat();
    await sendSome(chatId, 7);
    const streams = Array.from({ length: 9 }, (_, cut) => {
      const stream = nodes[cut % 2]!.open('bob');
      stream.subscribe(chatId, cut);
      return stream;
    });
    await eventually(() => expect(streams.map((stream) => stream.of('caughtUp').length)).toEqual(streams.map(() => 1)));
    await sendSome(chatId, 3);

    await eventually(() =>
      expect(streams.map((stream) => stream.numbers(chatId).at(-1))).toEqual(streams.map(() => 11)),
    );

    const expected = essence(await log(chatId));
    for (const [cut, stream] of streams.entries()) {
      expect(stream.of('subscribed')).toMatchObject([{ chatId, headSeq: 8, afterSeq: cut }]);
      expect(stream.of('caughtUp')).toEqual([{ chatId, seq: 8 }]);
      expect(essence(stream.messages(chatId))).toEqual(expected.slice(cut));
      const kinds = stream.events.map(({ $case }) => $case).filter((kind) => kind !== 'message');
      expect(kinds).toEqual(['welcome', 'subscribed', 'caughtUp']);
    }
  });

  test('with no number gets what happens from now on', async () => {
    const chatId = await newChat();
    await sendSome(chatId, 4);
    const stream = nodes[0].open('bob');
    stream.subscribe(chatId);
    await eventually(() => expect(stream.of('caughtUp')).toEqual([{ chatId, seq: 5 }]));
    await sendSome(chatId, 2);
    await eventually(() => expect(stream.numbers(chatId)).toEqual([6, 7]));
  });

  test('at a number beyond the chat’s head is refused, by field and limit', async () => {
    const chatId = await newChat();
    const stream = nodes[0].open('bob');
    stream.subscribe(chatId, 2);
    stream.send({
      kind: 'subscribe_all',
      commandId: 'all',
      cursors: new Map([[chatId, { seq: 9, epoch: '' }]]),
      others: 'NOW',
    });
    await eventually(() => expect(stream.of('rejected').map(({ status }) => status?.code)).toEqual([11, 11]));
    expect(stream.of('rejected').map(({ status }) => status?.message)).toEqual([
      expect.stringContaining('subscribe.after_seq must be at most 1'),
      expect.stringContaining('must be at most 1'),
    ]);
    expect(stream.of('subscribed')).toEqual([]);
    stream.subscribe(chatId, 1);
    await eventually(() => expect(stream.of('caughtUp')).toHaveLength(1));
  });

  test('while others write gets every message once, whatever the moment', async () => {
    fates = ['arrive', 'late', 'lose', 'arrive'];
    const chatId = await newChat();
    const streams: TestStream[] = [];
    let rounds = 0;
    const writing = (async () => {
      for (; rounds < 40; rounds += 1) await sendSome(chatId, 2, nodes[rounds % 2]);
    })();
    for (let i = 0; i < 20; i += 1) {
      const stream = nodes[i % 2]!.open('bob');
      stream.subscribe(chatId, 0);
      streams.push(stream);
      await eventually(() => expect(rounds).toBeGreaterThan(i));
    }
    await writing;
    const expected = essence(await log(chatId));
    await eventually(() => {
      for (const stream of streams) expect(stream.numbers(chatId).at(-1)).toBe(81);
    });
    for (const stream of streams) expect(essence(stream.messages(chatId))).toEqual(expected);
  });
});

type Step =
  | { kind: 'send'; node: 0 | 1; count: number; length: number }
  | { kind: 'edit'; which: number; remove: boolean }
  | { kind: 'subscribe'; node: 0 | 1; cut: number; paused: boolean }
  | { kind: 'pause' | 'resume'; which: number };

test('a batch is encoded once however many read it, live or a page, and all are written the same bytes', async () => {
  fates = ['arrive'];
  const chatId = await newChat();
  const streams = Array.from({ length: 20 }, () => nodes[0].open('bob'));
  for (const stream of streams) stream.subscribe(chatId);
  await eventually(() => expect(streams.every((stream) => stream.of('caughtUp').length === 1)).toBe(true));
  const encodeEntries = vi.spyOn(ProtobufEventEncoder.prototype, 'encodeEntries');

  await sendSome(chatId, 1);
  await eventually(() => expect(streams.every((stream) => stream.numbers(chatId).length === 1)).toBe(true));
  expect(encodeEntries).toHaveBeenCalledTimes(1);
  expect(new Set(streams.map(({ frames }) => frames.at(-1))).size).toBe(1);

  // More than the topic keeps in memory: it is read from the database, a page for all.
  await sendSome(chatId, 5, nodes[0], 'x'.repeat(1_000));
  await eventually(() => expect(streams.every((stream) => stream.numbers(chatId).length === 6)).toBe(true));
  encodeEntries.mockClear();
  const late = Array.from({ length: 20 }, () => nodes[0].open('bob'));
  for (const stream of late) stream.subscribe(chatId, 0);
  await eventually(() => expect(late.every((stream) => stream.numbers(chatId).length === 7)).toBe(true));
  const encoded = encodeEntries.mock.calls.map(([entries]) => entries);
  expect(new Set(encoded).size).toBe(encoded.length);
  // Three pages for each of twenty readers; a page is shared for a second, so that a slow machine may read one again.
  expect(encoded.length).toBeLessThan(late.length);
  encodeEntries.mockRestore();
});

test('whatever happens to publications and readers, each ends with the state of the log, told once and in order', async () => {
  const node = fc.constantFrom<0 | 1>(0, 1);
  const which = fc.nat(99);
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('send' as const),
        node,
        count: fc.integer({ min: 1, max: 6 }),
        length: fc.constantFrom(1, 300, 2_000),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('edit' as const), which, remove: fc.boolean() }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('subscribe' as const), node, cut: which, paused: fc.boolean() }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('pause' as const, 'resume' as const), which }) },
  );
  const steps = fc.array(step, { minLength: 4, maxLength: 16, size: 'max' });
  const anyFates = fc.array(fc.constantFrom<Fate>('arrive', 'lose', 'double', 'late'), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(steps, anyFates, async (steps, given) => {
      [fates, fateIndex] = [given, 0];
      const chatId = await newChat();
      const readers: {
        stream: TestStream;
        after: number;
        state: Map<string, { id: string; seq: number; updateSeq: number; text: string }>;
      }[] = [];
      const start = async (on: 0 | 1, cut: number, paused: boolean) => {
        const known = await log(chatId);
        const after = cut % (Math.max(...known.map(({ updateSeq }) => updateSeq)) + 1);
        const stream = nodes[on].open('bob', { paused });
        stream.subscribe(chatId, after);
        readers.push({
          stream,
          after,
          state: new Map(known.filter((m) => m.updateSeq <= after).map((m) => [m.id, m])),
        });
      };
      await start(0, 0, false);
      await start(1, 0, true);
      for (const each of steps) {
        if (each.kind === 'send') await sendSome(chatId, each.count, nodes[each.node], 'x'.repeat(each.length));
        else if (each.kind === 'subscribe') await start(each.node, each.cut, each.paused);
        else if (each.kind === 'edit') {
          const known = await log(chatId);
          // The first message is the service's, which nobody can edit.
          const target = known[1 + (each.which % (known.length - 1))];
          if (!target || target.deletion) continue;
          const changed = each.remove ? await storage.delete(target) : await storage.edit(target, `${each.which}`);
          bus.publishToChat(chatId, { kind: 'entries', entries: [entryOf(changed)] });
        } else {
          const { stream } = readers[each.which % readers.length]!;
          if (each.kind === 'pause') stream.pause();
          else stream.resume();
        }
      }
      for (const { stream } of readers) stream.resume();
      const expected = await log(chatId);
      const head = Math.max(...expected.map(({ updateSeq }) => updateSeq));

      await eventually(() => {
        for (const { stream, after } of readers) expect(stream.numbers(chatId).at(-1) ?? after).toBe(head);
      });

      for (const { stream, after, state } of readers) {
        let next = after + 1;
        for (const { from, to, message } of stream.entries(chatId)) {
          expect(from).toBe(next);
          next = to + 1;
          if (message) state.set(message.id, message);
        }
        expect(next).toBe(head + 1);
        expect(essence([...state.values()].sort((a, b) => a.seq - b.seq))).toEqual(essence(expected));
        stream.cancel();
      }
    }),
    { numRuns: 30 },
  );
});
