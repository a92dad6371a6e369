import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { AcceptedMessage } from '../../model/message.ts';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { eventually } from '../../testing/eventually.ts';
import type { LogEntry, PartitionReader } from './ingest-log.ts';
import { NatsIngestLog, type NatsIngestLogOptions } from './nats-ingest-log.ts';

let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

async function openLog(options: Partial<NatsIngestLogOptions> = {}): Promise<NatsIngestLog> {
  const log = await NatsIngestLog.open({
    nats: { url: `nats://127.0.0.1:${nats.port}` },
    stream: `TEST_${randomBytes(4).toString('hex')}`,
    partitions: 1,
    replicas: 1,
    maxBytes: 10_000_000,
    duplicateWindowMs: 60_000,
    ackTimeoutMs: 2_000,
    ...options,
  });
  onTestFinished(() => log.close());
  return log;
}

function newMessage(message: Partial<AcceptedMessage> = {}): AcceptedMessage {
  return {
    id: randomUUID(),
    chatId: 'chat',
    sender: { id: 'alice', name: 'Alice' },
    clientMessageId: randomUUID(),
    text: 'hello',
    contentHash: Buffer.from('hash'),
    acceptedAt: new Date('2026-01-02T03:04:05.678Z'),
    ...message,
  };
}

/** Collects what a reader gives; `error` is what ended it. */
function collect(reader: PartitionReader) {
  const collected = { entries: [] as LogEntry[], error: undefined as unknown };
  onTestFinished(() => reader.close());
  const run = async () => {
    for await (const batch of reader) collected.entries.push(...batch);
  };
  void run().catch((error) => (collected.error = error));
  return collected;
}

const idsOf = (entries: readonly LogEntry[]) => entries.map(({ message }) => message?.id);

test('the trace of a message travels in the headers of its entry; other entries have none', async () => {
  const log = await openLog();
  const traces: AcceptedMessage['trace'][] = [
    { traceparent: 'a', tracestate: 'b' },
    undefined,
    { 'uber-trace-id': 'c' },
  ];
  await log.append(traces.map((trace) => newMessage(trace && { trace })));
  const { entries } = collect(log.read(0, 0, 10));
  await eventually(() => expect(entries.map(({ message }) => message?.trace)).toEqual(traces));
});

test('messages are read as they were appended, in the same order, from any position', async () => {
  const log = await openLog();
  const messages = Array.from({ length: 1_000 }, (_, i) => newMessage({ text: `message ${i}` }));
  for (let i = 0; i < messages.length; i += 250) {
    const results = await log.append(messages.slice(i, i + 250));
    expect(results.every(({ outcome }) => outcome === 'appended')).toBe(true);
  }

  const all = collect(log.read(0, 0, 100));
  await eventually(() => expect(all.entries).toHaveLength(1_000));
  expect(all.entries.map(({ message }) => message)).toEqual(messages);

  const rest = collect(log.read(0, all.entries[996]!.position, 100));
  await eventually(() => expect(idsOf(rest.entries)).toEqual(messages.slice(997).map(({ id }) => id)));
});

test('a reader that waits gets new entries, and only those of its partition', async () => {
  const log = await openLog({ partitions: 2 });
  const chats = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const readers = [collect(log.read(0, 0, 10)), collect(log.read(1, 0, 10))];

  const messages = chats.map((chatId) => newMessage({ chatId }));
  await log.append(messages);

  const read = () => readers.flatMap(({ entries }) => entries);
  await eventually(() => expect(read()).toHaveLength(chats.length));
  for (const { entries } of readers) expect(entries).not.toEqual([]);
  expect(new Set(idsOf(read()))).toEqual(new Set(messages.map(({ id }) => id)));
});

test('a repeated message is not appended twice, and the result has the first one', async () => {
  const log = await openLog();
  const first = newMessage();
  await log.append([first]);

  expect(await log.append([first])).toEqual([{ outcome: 'duplicate', first }]);
  const again = newMessage({ id: first.id, text: 'other' });
  expect(await log.append([again])).toEqual([{ outcome: 'duplicate', first }]);
  const other = newMessage();
  expect(await log.append([other])).toEqual([{ outcome: 'appended' }]);

  const { entries } = collect(log.read(0, 0, 10));
  await eventually(() => expect(idsOf(entries)).toEqual([first.id, other.id]));
});

test('a full stream refuses messages and removes none; trimming makes room', async () => {
  const log = await openLog({ maxBytes: 100_000 });
  const fill = () => log.append([newMessage({ text: 'x'.repeat(10_000) })]);
  let appended = 0;
  for (let [result] = await fill(); result?.outcome === 'appended'; [result] = await fill()) appended += 1;
  expect(appended).toBeGreaterThan(5);
  expect(await fill()).toEqual([{ outcome: 'full' }]);
  const { entries } = collect(log.read(0, 0, 10));
  await eventually(() => expect(entries).toHaveLength(appended));

  await log.trim(0, entries[1]!.position);

  expect(await fill()).toEqual([{ outcome: 'appended' }]);
  const left = collect(log.read(0, 0, 10));
  await eventually(() => expect(left.entries[0]?.position).toBe(entries[2]!.position));
});

test('a closed stream takes no message from any process until it is opened again, and has its entries', async () => {
  const stream = 'CLOSED';
  const log = await openLog({ stream, partitions: 2 });
  const messages = [newMessage(), newMessage()];
  await log.append(messages);

  await log.setOpen(false);

  const other = await openLog({ stream, partitions: 2, duplicateWindowMs: 30_000 });
  for (const each of [log, other]) {
    const [result] = await each.append([newMessage({ text: '' })]);
    expect(result).toMatchObject({ outcome: 'unavailable', cause: { message: 'the stream CLOSED is closed' } });
    expect(await each.state()).toMatchObject({ isOpen: false, entries: 2, lastPosition: 2 });
  }
  const partition = (await other.find(1))!.partition;
  expect([await other.findEnd(partition), await other.findEnd(1 - partition)]).toEqual([2, 0]);
  const { entries } = collect(other.read(partition, 0, 10));
  await eventually(() => expect(idsOf(entries)).toEqual(messages.map(({ id }) => id)));

  await other.setOpen(true);
  expect(await log.append([newMessage()])).toEqual([{ outcome: 'appended' }]);
  expect(await log.state()).toMatchObject({ isOpen: true });
});

test('a server that was killed and restarted has all entries, and recognises repetitions', async () => {
  const log = await openLog({ ackTimeoutMs: 500 });
  const messages = [newMessage(), newMessage()];
  await log.append(messages);
  const broken = collect(log.read(0, 0, 10));
  await eventually(() => expect(broken.entries).toHaveLength(2));
  const before = await log.state();

  await nats.kill();
  await eventually(() => expect(broken.error).toMatchObject({ message: 'NATS is away' }));
  expect(await log.append([newMessage()])).toMatchObject([{ outcome: 'unavailable' }]);
  await nats.restart();

  const again = newMessage({ id: messages[0]!.id });
  await eventually(async () =>
    expect(await log.append([again])).toEqual([{ outcome: 'duplicate', first: messages[0] }]),
  );
  expect(await log.state()).toMatchObject({ createdAt: before.createdAt });
  const { entries } = collect(log.read(0, 0, 10));
  await eventually(() => expect(idsOf(entries).slice(0, 2)).toEqual(messages.map(({ id }) => id)));
});

test('an entry that is not a message is read with its bytes', async () => {
  const log = await openLog();
  await log.append([newMessage({ chatId: '' })]);
  const { entries } = collect(log.read(0, 0, 10));
  await eventually(() => expect(entries).toHaveLength(1));
  expect(entries[0]?.message).toBeUndefined();
  expect(entries[0]?.body.length).toBeGreaterThan(0);
});

test('a server that cannot be reached is named in the error, without the password', async () => {
  const opening = NatsIngestLog.open({
    nats: { url: 'nats://someone:secret@127.0.0.1:1' },
    stream: 'S',
    partitions: 1,
    replicas: 1,
    maxBytes: 1_000_000,
    duplicateWindowMs: 1_000,
    ackTimeoutMs: 1_000,
  });
  await expect(opening).rejects.toThrow(/^cannot connect to NATS at 127.0.0.1:1: (?!.*secret)/);
});
