import { pino } from 'pino';
import { expect, test } from 'vitest';
import { ResourceStack } from './resource-stack.ts';

function stackWithLog() {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  return { stack: new ResourceStack(log), lines };
}

test('resources are closed once, in reverse order, each after the one before it has closed', async () => {
  const { stack } = stackWithLog();
  const closed: string[] = [];
  stack.add('first', () => void closed.push('first'));
  stack.add('second', async () => {
    await new Promise(setImmediate);
    closed.push('second');
  });
  stack.add('third', async () => void closed.push('third'));
  await Promise.all([stack.close(), stack.close()]);
  await stack.close();
  expect(closed).toEqual(['third', 'second', 'first']);
});

test('a resource that fails to close is named in the log, and the others are closed', async () => {
  const { stack, lines } = stackWithLog();
  const closed: string[] = [];
  stack.add('first', () => void closed.push('first'));
  stack.add('the broken one', () => Promise.reject(new Error('stuck')));
  stack.add('the other broken one', () => {
    throw new Error('stuck, too');
  });
  await stack.close();
  expect(closed).toEqual(['first']);
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
    'could not close the other broken one',
    'could not close the broken one',
  ]);
});
