import { expect, test } from 'vitest';
import type { LogEntry } from '../../client/ingest/ingest-log.ts';
import { toBatches } from './batches.ts';

function entry(position: number, clientMessageId?: string): LogEntry {
  const message = clientMessageId && {
    id: `${position}`,
    chatId: 'chat',
    sender: { id: 'alice', name: 'Alice' },
    clientMessageId,
    text: '',
    contentHash: Buffer.from(''),
    acceptedAt: new Date(0),
  };
  return { position, message: message || undefined, body: new Uint8Array() };
}

const positions = (entries: readonly LogEntry[]) =>
  toBatches(entries).map((batch) => (Array.isArray(batch) ? batch.map(({ position }) => position) : batch.position));

test('a repeated message begins another batch', () => {
  expect(positions([entry(1, 'a'), entry(2, 'b'), entry(3, 'a'), entry(4, 'b'), entry(5, 'c')])).toEqual([
    [1, 2],
    [3, 4, 5],
  ]);
});

test('an entry that cannot be decoded is not in a batch, and keeps its place', () => {
  expect(positions([entry(1), entry(2, 'a'), entry(3), entry(4, 'b')])).toEqual([1, [2], 3, [4]]);
  expect(positions([])).toEqual([]);
});
