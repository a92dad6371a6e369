import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Message } from '../../../../pkg/api/chat/v1/chat.ts';
import {
  emptyWindow,
  type MessageWindow,
  maxMessages,
  trimmed,
  withChange,
  withNewer,
  withOlder,
  withSent,
} from './message-window.ts';

const message = (seq: number, updateSeq = seq) => Message.fromPartial({ id: `${seq}`, seq, updateSeq });
const range = (first: number, last: number) =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => message(first + index));
const seqs = ({ messages }: MessageWindow) => messages.map(({ seq }) => seq);

test('pages join on to it, without what it has already', () => {
  const window = { messages: range(10, 12), hasOlder: true, hasNewer: true };
  expect(seqs(withOlder(window, range(8, 10), true))).toEqual([8, 9, 10, 11, 12]);
  expect(seqs(withNewer(window, range(12, 14), false))).toEqual([10, 11, 12, 13, 14]);
});

test('what is heard goes to the end, but not beyond a hole', () => {
  expect(seqs(withSent({ ...emptyWindow, messages: range(1, 2) }, message(3)))).toEqual([1, 2, 3]);
  expect(seqs(withSent({ ...emptyWindow, messages: range(1, 2), hasNewer: true }, message(9)))).toEqual([1, 2]);
});

test('a message that was changed takes its own place, unless it is older than what is there', () => {
  const window = withChange({ ...emptyWindow, messages: range(1, 3) }, message(2, 4));
  expect(window.messages[1]).toMatchObject({ seq: 2, updateSeq: 4 });
  expect(withChange(window, message(2))).toBe(window);
  expect(withSent(window, message(2))).toBe(window);
  expect(seqs(window)).toEqual([1, 2, 3]);
});

test('a change of a message that is not there adds nothing', () => {
  const window = { messages: range(5, 7), hasOlder: true, hasNewer: false };
  for (const seq of [4, 8]) expect(withChange(window, message(seq, 9))).toBe(window);
  expect(withChange(emptyWindow, message(1, 2))).toBe(emptyWindow);
});

test('a message that was hidden is not there any more', () => {
  const hidden = (seq: number) => ({ ...message(seq, 9), hidden: true });
  const window = { ...emptyWindow, messages: range(1, 3) };
  expect(seqs(withChange(window, hidden(2)))).toEqual([1, 3]);
  expect(seqs(withSent(window, hidden(3)))).toEqual([1, 2]);
  expect(seqs(withSent(window, hidden(4)))).toEqual([1, 2, 3]);
});

test('a window that is trimmed knows that there is more', () => {
  const window = { messages: range(1, maxMessages + 5), hasOlder: false, hasNewer: false };
  expect(trimmed(window, 'oldest')).toMatchObject({
    hasOlder: true,
    hasNewer: false,
    messages: { length: maxMessages },
  });
  expect(trimmed(window, 'newest')).toMatchObject({
    hasOlder: false,
    hasNewer: true,
    messages: { length: maxMessages },
  });
  expect(seqs(trimmed(window, 'oldest'))[0]).toBe(6);
});

test('whatever is read and heard, it is a stretch of the chat without holes', () => {
  const step = fc.record({
    kind: fc.constantFrom('older', 'newer', 'heard', 'trim'),
    size: fc.integer({ min: 1, max: 400 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let head = 1_000;
      let window: MessageWindow = { messages: range(951, head), hasOlder: true, hasNewer: false };
      for (const { kind, size } of steps) {
        const [first, last] = [seqs(window)[0]!, seqs(window).at(-1)!];
        if (kind === 'older') window = withOlder(window, range(Math.max(1, first - size), first - 1), first - size > 1);
        if (kind === 'newer')
          window = withNewer(window, range(last + 1, Math.min(head, last + size)), last + size < head);
        if (kind === 'trim') window = trimmed(window, size % 2 ? 'oldest' : 'newest');
        if (kind !== 'heard') continue;
        head += 1;
        window = withSent(window, message(head));
      }
      const all = seqs(window);
      expect(all).toEqual(all.map((_, index) => all[0]! + index));
      expect(window.hasNewer).toBe(all.at(-1) !== head);
      expect(window.hasOlder).toBe(all[0] !== 1);
    }),
  );
});
