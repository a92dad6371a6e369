import { expect, test } from 'vitest';
import type { Call } from '../calls/repeating-calls.ts';
import { ReadMarks } from './read-marks.ts';

/** A service whose mark has been moved back once, of which the client has heard nothing. */
function movedBack() {
  const asked: unknown[] = [];
  const call = (async (method: string, request: { seq: number; ifGeneration?: number }) => {
    asked.push([method, request.seq, request.ifGeneration]);
    const { seq, ifGeneration = 1 } = request;
    return { readSeq: ifGeneration < 1 ? 0 : seq, unreadCount: 0, readGeneration: 1, mentionCount: 0 };
  }) as unknown as Call;
  return { asked, marks: new ReadMarks(call) };
}

test('a client whose mark was ignored has learnt from the answer that the mark was moved back', async () => {
  const { asked, marks } = movedBack();
  marks.note('c', 0);
  expect(await marks.mark('c', 5)).toMatchObject({ readSeq: 0 });
  expect(await marks.mark('c', 6)).toMatchObject({ readSeq: 6 });
  expect(asked).toEqual([
    ['markRead', 5, 0],
    ['markRead', 6, 1],
  ]);
});

test('a mark that was requested before the answer came does not undo the one that was moved back', async () => {
  const { asked, marks } = movedBack();
  marks.note('c', 0);
  const [first, second] = [marks.mark('c', 5), marks.mark('c', 6)];
  expect(await first).toMatchObject({ readSeq: 0 });
  expect(await second).toMatchObject({ readSeq: 0 });
  expect(asked.at(-1)).toEqual(['markRead', 6, 0]);
});
