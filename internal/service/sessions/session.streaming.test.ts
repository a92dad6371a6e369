import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import { toWireMessage } from '../../converter/message.ts';
import { compose, isGapless } from '../../testing/clients/composed.ts';
import { eventually } from '../../testing/eventually.ts';
import { type Fate, LossyBus } from '../../testing/faults/lossy-bus.ts';
import { principalOf, startTestNode, type TestNode, type TestStream } from '../../testing/services/test-node.ts';
import { openTestStorage, type TestStorage, user } from '../../testing/services/test-storage.ts';

let storage: TestStorage;
let fates: Fate[] = ['arrive'];
let fateIndex = 0;
let nodes: [TestNode, TestNode];
beforeAll(async () => {
  storage = await openTestStorage();
  const chat = () => fates[fateIndex++ % fates.length]!;
  const bus = new LossyBus(new MemoryBus(), { chat });
  // So little memory that readers go between memory and database.
  const hub = { recentChars: 2_000 };
  const start = () => startTestNode(storage, { bus, hub, streams: { flushMs: 0 }, session: { outboxBytes: 4_000 } });
  nodes = [await start(), await start()];
});
afterAll(async () => {
  for (const node of nodes) await node.stop();
  await storage.close();
});

type Step =
  | { kind: 'start' }
  | { kind: 'append'; node: 0 | 1; which: number; count: number; length: number }
  | { kind: 'finish'; which: number; outcome: 'complete' | 'cancelled' }
  | { kind: 'delete'; which: number }
  | { kind: 'send' }
  | { kind: 'subscribe'; node: 0 | 1; cut: number; paused: boolean }
  | { kind: 'pause' | 'resume'; which: number };

const node = fc.constantFrom<0 | 1>(0, 1);
const which = fc.nat(99);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('start' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      node,
      which,
      count: fc.integer({ min: 1, max: 6 }),
      length: fc.constantFrom(1, 40, 900),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('finish' as const),
      which,
      outcome: fc.constantFrom('complete' as const, 'cancelled' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('send' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('subscribe' as const), node, cut: which, paused: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('pause' as const, 'resume' as const), which }) },
);
const anyFates = fc.array(fc.constantFrom<Fate>('arrive', 'lose', 'double', 'late'), { minLength: 1, maxLength: 12 });

/** The texts that a message had, by the number from which it had them. */
interface Growth {
  id: string;
  parts: number;
  states: { seq: number; text: string }[];
  ended: boolean;
}

test('whatever happens to publications and readers, each text that a reader has is a beginning of the final one', async () => {
  const steps = fc.array(step, { minLength: 6, maxLength: 24, size: 'max' });
  await fc.assert(
    fc.asyncProperty(steps, anyFates, async (steps, given) => {
      [fates, fateIndex] = [given, 0];
      const chatId = (await storage.chats.createGroup(user('alice'), 'group', ['bob'])).chat.id;
      const alice = principalOf('alice');
      const grown: Growth[] = [];
      let head = 1;
      const saw = ({ seq }: { seq: number }) => {
        head = Math.max(head, seq);
      };
      const readers: { stream: TestStream; after: number; known: { id: string; seq: number; text: string }[] }[] = [];
      const subscribe = (on: 0 | 1, cut: number, paused: boolean) => {
        const after = cut % (head + 1);
        // What a reader had that has seen everything up to the number.
        const known = grown.flatMap(({ id, states }) => {
          const state = states.findLast(({ seq }) => seq <= after);
          return state ? [{ id, ...state }] : [];
        });
        const stream = nodes[on].open('bob', { paused });
        stream.subscribe(chatId, after);
        readers.push({ stream, after, known });
      };
      const begin = async () => {
        const receipt = await nodes[0].streams.startMessage(alice, { chatId, clientMessageId: randomUUID(), text: '' });
        saw(receipt);
        grown.push({ id: receipt.messageId, parts: 0, states: [{ seq: receipt.seq, text: '' }], ended: false });
      };
      const append = async (one: Growth, on: 0 | 1, count: number, length: number) => {
        const texts = Array.from({ length: count }, (_, i) => `${one.parts + i + 1}${'.'.repeat(length)}`);
        const receipts = await Promise.all(
          texts.map((text, i) =>
            nodes[on].streams.appendMessage(alice, { chatId, messageId: one.id, part: one.parts + i + 1, text }),
          ),
        );
        one.parts += count;
        for (const [i, receipt] of receipts.entries()) {
          saw(receipt);
          const text = one.states.at(-1)!.text + texts[i]!;
          // Parts of one flush have one number.
          if (one.states.at(-1)!.seq === receipt.seq) one.states.pop();
          one.states.push({ seq: receipt.seq, text });
        }
      };

      await begin();
      subscribe(0, 0, false);
      subscribe(1, 0, true);
      for (const each of steps) {
        const growing = grown.filter(({ ended }) => !ended);
        const one = 'which' in each ? growing[each.which % growing.length] : undefined;
        if (each.kind === 'start') await begin();
        else if (each.kind === 'append' && one) await append(one, each.node, each.count, each.length);
        else if (each.kind === 'finish' && one) {
          const request = { chatId, messageId: one.id, outcome: each.outcome };
          const receipt = await nodes[0].streams.finishMessage(alice, request);
          saw(receipt);
          one.states.push({ seq: receipt.seq, text: one.states.at(-1)!.text });
          one.ended = true;
        } else if (each.kind === 'delete' && one) {
          const request = { chatId, messageId: one.id, clientChangeId: '', ifVersion: undefined };
          const receipt = await nodes[0].changes.deleteMessage(alice, { ...request, hide: false, reason: '' });
          saw(receipt);
          one.states.push({ seq: receipt.seq, text: '' });
          one.ended = true;
        } else if (each.kind === 'send') {
          saw(await nodes[0].service.sendMessage(alice, { chatId, clientMessageId: randomUUID(), text: 'between' }));
        } else if (each.kind === 'subscribe') subscribe(each.node, each.cut, each.paused);
        else if (each.kind === 'pause') readers[each.which % readers.length]!.stream.pause();
        else if (each.kind === 'resume') readers[each.which % readers.length]!.stream.resume();
      }
      for (const { stream } of readers) stream.resume();
      await eventually(() => {
        for (const { stream, after } of readers) expect(stream.numbers(chatId).at(-1) ?? after).toBe(head);
      });

      for (const { stream, after, known } of readers) {
        const had = await Promise.all(
          known.map(async ({ id, seq, text }) => {
            const message = toWireMessage(await storage.messages.get(chatId, id));
            return { ...message, updateSeq: seq, text };
          }),
        );
        const { messages, texts, numbers } = compose(stream.events, chatId, had);
        expect(isGapless(numbers, after, head)).toBe(true);
        for (const { id, states } of grown) {
          const whole = states.findLast(({ text }) => text !== '')?.text ?? '';
          for (const text of texts.get(id) ?? []) expect(whole.startsWith(text)).toBe(true);
          // A reader that began before the message's last number has its final state.
          if (messages.has(id)) expect(messages.get(id)!.text).toBe(states.at(-1)!.text);
          expect(messages.has(id) || after >= states[0]!.seq).toBe(true);
        }
        stream.cancel();
      }
    }),
    { numRuns: 40 },
  );
});
