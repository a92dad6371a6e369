import { expect, test } from 'vitest';
import type { LogEntry } from '../../client/ingest/ingest-log.ts';
import type { AcceptedMessage } from '../../model/message.ts';
import { toBatches } from './batches.ts';

function entry(position: number, clientMessageId?: string, references: Partial<AcceptedMessage> = {}): LogEntry {
  const message = clientMessageId && {
    id: `${position}`,
    chatId: 'chat',
    sender: { id: 'alice', name: 'Alice' },
    clientMessageId,
    text: '',
    contentHash: Buffer.from(''),
    acceptedAt: new Date(0),
    ...references,
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

test('a message that refers to one of the batch begins another batch', () => {
  const entries = [entry(1, 'a'), entry(2, 'b', { replyToId: '1' }), entry(3, 'c', { rootId: '2' }), entry(4, 'd')];
  expect(positions(entries)).toEqual([[1], [2], [3, 4]]);
});
