import { expect, test } from 'vitest';
import { Message } from '../../../pkg/api/chat/v1/chat.ts';
import { ShownChanges } from './shown-changes.ts';

const changed = (seq: number, updateSeq: number) => Message.fromPartial({ id: `id ${seq}`, seq, updateSeq });

test.each([0, 1, 2, 3, 4, 5])('a change that arrives %i moments after another is printed too', async (moments) => {
  const printed: number[] = [];
  const changes = new ShownChanges(async ({ updateSeq }) => {
    printed.push(updateSeq);
  });
  await changes.reached(2);
  changes.add(changed(1, 3));
  for (let i = 0; i < moments; i += 1) await Promise.resolve();
  changes.add(changed(2, 4));
  await new Promise(setImmediate);
  expect(printed).toEqual([3, 4]);
});

test('a change that cannot be printed fails what is printed next', async () => {
  const changes = new ShownChanges(() => Promise.reject(new Error('the output is closed')));
  await changes.reached(2);
  changes.add(changed(1, 3));
  await new Promise(setImmediate);
  await expect(changes.reached(3)).rejects.toThrow('the output is closed');
});
