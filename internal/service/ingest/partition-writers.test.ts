import { randomBytes, randomUUID } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import type { IngestLog } from '../../client/ingest/ingest-log.ts';
import { NatsIngestLog } from '../../client/ingest/nats-ingest-log.ts';
import { partitionOf } from '../../client/ingest/partition-of.ts';
import { connectNats } from '../../client/nats/connect-nats.ts';
import type { AcceptedMessage } from '../../model/message.ts';
import { PartitionLost } from '../../repository/ingest-repository.ts';
import { createDatabase, type Database } from '../../repository/postgres/connection/database.ts';
import { PostgresIngestRepository } from '../../repository/postgres/ingest/postgres-ingest-repository.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { startNats } from '../../testing/services/brokers.ts';
import type { ServerProcess } from '../../testing/services/server-process.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { PartitionWriter } from './partition-writer.ts';
import { PartitionWriters, type PartitionWritersOptions } from './partition-writers.ts';
import { recogniseLog } from './recognise-log.ts';
import { Slots } from './slots.ts';
import { standsInLog } from './stands-in-log.ts';

let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

const partitions = 6;

interface Stand {
  database: Database;
  repository: PostgresIngestRepository;
  ingestLog: NatsIngestLog;
  lines: LogLines;
  chatIds: string[];
  /** A writer on connections of its own, not started. */
  newWriters(options?: Partial<PartitionWritersOptions>): PartitionWriters;
  /** Has the log keep messages in these chats, taking turns; returns them. */
  keep(count: number, message?: Partial<AcceptedMessage>): Promise<AcceptedMessage[]>;
  /** The texts of each chat, in the order of their numbers. */
  written(): Promise<Map<string, string[]>>;
}

async function newStand(duplicateWindowMs = 60_000): Promise<Stand> {
  const database = createDatabase({
    dsn: await createTestDatabase(),
    poolSize: 6,
    statementTimeoutMs: 5_000,
    onError: () => {},
  });
  onTestFinished(() => database.close());
  const repository = new PostgresIngestRepository(database);
  const ingestLog = await NatsIngestLog.open({
    nats: { url: `nats://127.0.0.1:${nats.port}` },
    stream: `TEST_${randomBytes(4).toString('hex')}`,
    partitions,
    replicas: 1,
    maxBytes: 100_000_000,
    duplicateWindowMs,
    ackTimeoutMs: 5_000,
  });
  onTestFinished(() => ingestLog.close());
  const { name, createdAt } = await ingestLog.state();
  await repository.openLog({ name, createdAt, partitions });
  const chatIds = Array.from({ length: 12 }, () => randomUUID());
  await database.pool.query(
    `insert into chats (id, type, name, created_by) select id, 'GROUP', '', 'alice' from unnest($1::uuid[]) id`,
    [chatIds],
  );
  const lines = new LogLines('debug');
  let kept = 0;
  return {
    database,
    repository,
    ingestLog,
    lines,
    chatIds,
    newWriters(options = {}) {
      const deps = { ingestLog, repository, bus: new MemoryBus(), log: lines.logger };
      const writers = new PartitionWriters(deps, {
        maxBatch: 50,
        maxInFlight: 2,
        keepMs: 60_000,
        heartbeatMs: 200,
        missingAfterMs: 1_500,
        reportEveryMs: 60_000,
        ...options,
      });
      onTestFinished(() => writers.stop());
      return writers;
    },
    async keep(count, message = {}) {
      const messages = Array.from({ length: count }, (): AcceptedMessage => {
        kept += 1;
        return {
          id: randomUUID(),
          chatId: chatIds[kept % chatIds.length]!,
          sender: { id: 'alice', name: 'Alice' },
          clientMessageId: randomUUID(),
          text: `${kept}`,
          contentHash: Buffer.from('hash'),
          acceptedAt: new Date(),
          ...message,
        };
      });
      const answers = await ingestLog.append(messages);
      expect(answers.every(({ outcome }) => outcome === 'kept')).toBe(true);
      return messages;
    },
    async written() {
      const { rows } = await database.pool.query<{ chat_id: string; texts: string[] }>(
        'select chat_id, array_agg(text order by seq) as texts from messages group by chat_id',
      );
      return new Map(rows.map(({ chat_id, texts }) => [chat_id, texts]));
    },
  };
}

function byChat(messages: readonly AcceptedMessage[]): Map<string, string[]> {
  return new Map(
    [...Map.groupBy(messages, ({ chatId }) => chatId)].map(([chatId, own]) => [chatId, own.map(({ text }) => text)]),
  );
}

test('every message is written once, in the order of its chat', async () => {
  const stand = await newStand();
  const messages = await stand.keep(1_000);
  stand.newWriters().start();
  await eventually(async () => expect(await stand.written()).toEqual(byChat(messages)), 20_000);
});

test('writers share the partitions evenly, and those of one that stops are taken over at once', async () => {
  const stand = await newStand();
  // None of them is ever taken for dead: what is given back is taken over.
  const newWriters = () => stand.newWriters({ missingAfterMs: 60_000 });
  const [first, second] = [newWriters(), newWriters()];
  first.start();
  await eventually(() => expect(first.partitions).toHaveLength(6));
  second.start();
  await eventually(() => expect([first.partitions.length, second.partitions.length]).toEqual([3, 3]));
  const third = newWriters();
  third.start();
  await eventually(() => expect([first, second, third].map((w) => w.partitions.length)).toEqual([2, 2, 2]));
  expect([first, second, third].flatMap((w) => w.partitions).toSorted()).toEqual([0, 1, 2, 3, 4, 5]);

  await Promise.all([second.stop(), third.stop()]);

  await eventually(() => expect(first.partitions).toHaveLength(6));
  const messages = await stand.keep(200);
  await eventually(async () => expect(await stand.written()).toEqual(byChat(messages)), 20_000);
});

test('a writer that stops before it has a partition leaves its share to the others at once', async () => {
  const stand = await newStand();
  const first = stand.newWriters({ heartbeatMs: 3_600_000, missingAfterMs: 3_600_000 });
  first.start();
  await eventually(() => expect(first.partitions).toHaveLength(6));
  const second = stand.newWriters({ missingAfterMs: 3_600_000 });
  const known = async () => (await stand.database.pool.query('select from ingest.writers')).rowCount;
  second.start();
  await eventually(async () => expect(await known()).toBe(2));
  await second.stop();
  expect(await known()).toBe(1);
});

test('messages that come while partitions change hands are written once, in order', async () => {
  const stand = await newStand();
  const messages: AcceptedMessage[] = [];
  const steady = stand.newWriters({ maxBatch: 5 });
  steady.start();
  for (let i = 0; i < 6; i += 1) {
    const passing = stand.newWriters({ maxBatch: 5 });
    passing.start();
    await eventually(() => expect(passing.partitions).not.toEqual([]));
    messages.push(...(await stand.keep(300)));
    await passing.stop();
    messages.push(...(await stand.keep(100)));
  }
  await eventually(async () => expect(await stand.written()).toEqual(byChat(messages)), 20_000);
});

test('a writer that has lost a partition cannot write in it any more, nor one that knows an old position', async () => {
  const stand = await newStand();
  const { repository } = stand;
  const [old, young] = [randomUUID(), randomUUID()];
  await repository.takePartitions(old, 60_000);
  const [message] = await stand.keep(1);
  const stretch = { partition: 0, from: 0, to: 5 };
  // The old one is not heard of for a moment, and the young one takes all.
  await eventually(async () => expect((await repository.takePartitions(young, 1)).size).toBe(partitions));

  await expect(repository.append({ ...stretch, writerId: old }, [message!])).rejects.toBeInstanceOf(PartitionLost);
  await expect(repository.refuse({ ...stretch, writerId: old }, Buffer.from(''), 'x')).rejects.toBeInstanceOf(
    PartitionLost,
  );
  await repository.append({ ...stretch, writerId: young }, [message!]);
  await expect(repository.append({ ...stretch, writerId: young }, [message!])).rejects.toBeInstanceOf(PartitionLost);
  expect(await stand.written()).toEqual(byChat([message!]));
  const { rows } = await stand.database.pool.query('select * from ingest.refused');
  expect(rows).toEqual([]);
});

test('a message that the database refuses is put aside, and those around it are written', async () => {
  const stand = await newStand();
  const before = await stand.keep(30, { chatId: stand.chatIds[0]! });
  const [bad] = await stand.keep(1, { chatId: stand.chatIds[0]!, text: 'nul \0 nul' });
  const after = await stand.keep(30, { chatId: stand.chatIds[0]! });
  await stand.keep(1, { chatId: '' });
  stand.newWriters().start();

  await eventually(async () => expect(await stand.written()).toEqual(byChat([...before, ...after])), 20_000);
  const { rows } = await eventually(async () => {
    const result = await stand.database.pool.query('select reason, body from ingest.refused order by length(body)');
    expect(result.rows).toHaveLength(2);
    return result;
  });
  expect(rows[0]).toMatchObject({ reason: 'it cannot be read' });
  expect(rows[1].body.includes(bad!.id)).toBe(true);
  expect(stand.lines.errors).toContainEqual(expect.objectContaining({ messageId: bad!.id, chatId: bad!.chatId }));
});

test('of two messages under one client_message_id the first is written, and the other is told of if it differs', async () => {
  // The stream has forgotten the first by the time the others come.
  const stand = await newStand(100);
  const message = { chatId: stand.chatIds[0]!, clientMessageId: 'one', sender: { id: 'bob', name: 'Bob' } };
  const keep = async (text: string) => {
    const kept = { ...message, id: randomUUID(), text, contentHash: Buffer.from(text), acceptedAt: new Date() };
    await eventually(async () => expect(await stand.ingestLog.append([kept])).toEqual([{ outcome: 'kept' }]));
    return kept;
  };
  const first = await keep('first');
  await keep('first');
  const other = await keep('other');
  stand.newWriters().start();

  await eventually(() =>
    expect(stand.lines.errors).toMatchObject([{ messageId: other.id, outcome: 'reused', senderId: 'bob' }]),
  );
  expect(await stand.written()).toEqual(byChat([first]));
});

test('what was written long enough ago leaves the stream, and nothing before', async () => {
  const stand = await newStand();
  const messages = await stand.keep(60);
  stand.newWriters({ keepMs: 1_000 }).start();
  await eventually(async () => expect(await stand.written()).toEqual(byChat(messages)), 20_000);
  await eventually(async () => expect((await stand.ingestLog.state()).entries).toBe(0));
  const more = await stand.keep(60);
  await eventually(async () => expect(await stand.written()).toEqual(byChat([...messages, ...more])), 20_000);
});

test('a stream that was lost is made anew and written from its start', async () => {
  const stand = await newStand();
  const messages = await stand.keep(60);
  stand.newWriters().start();
  await eventually(async () => expect(await stand.written()).toEqual(byChat(messages)), 20_000);

  const { name, createdAt } = await stand.ingestLog.state();
  const connection = await connectNats({ url: `nats://127.0.0.1:${nats.port}` }, 'test');
  await (await jetstreamManager(connection)).streams.delete(name);
  await connection.close();
  await eventually(async () => expect((await stand.ingestLog.state()).createdAt).not.toBe(createdAt));
  // Fewer than before: their positions are all below the old ones.
  const more = await stand.keep(30);

  await eventually(async () => expect(await stand.written()).toEqual(byChat([...messages, ...more])), 20_000);
  expect(stand.lines.errors).toContainEqual(expect.objectContaining({ stream: name }));
});

test('a stream in the place of another is an error in the log once, whoever notices it first, and the first stream is none', async () => {
  const stand = await newStand();
  const recognise = () => recogniseLog({ ...stand, log: stand.lines.logger });
  await stand.database.pool.query('delete from ingest.stream');
  expect(await recognise()).toMatchObject({ isKnown: false });
  expect(await recognise()).toMatchObject({ isKnown: true });
  expect(stand.lines.errors).toEqual([]);
  await stand.database.pool.query(`update ingest.stream set created_at = 'another time'`);
  expect(await recognise()).toMatchObject({ isKnown: false });
  expect(await recognise()).toMatchObject({ isKnown: true });
  expect(stand.lines.errors).toHaveLength(1);
});

test('a stream that has lost its end is read from its start: what was accepted after that is not skipped', async () => {
  const stand = await newStand();
  const before = await stand.keep(60);
  const writers = stand.newWriters();
  writers.start();
  await eventually(async () => expect(await stand.written()).toEqual(byChat(before)), 20_000);
  await writers.stop();
  const meanwhile = await stand.keep(60);
  await stand.database.pool.query('update ingest.partitions set position = position + 1000');

  stand.newWriters().start();

  const all = await eventually(async () => {
    expect(await stand.written()).toEqual(byChat([...before, ...meanwhile]));
    return stand.keep(60);
  }, 20_000);
  await eventually(
    async () => expect(await stand.written()).toEqual(byChat([...before, ...meanwhile, ...all])),
    20_000,
  );
  expect(stand.lines.errors).toHaveLength(partitions);
});

test('a stream that has lost its end and has grown beyond it again is read from its start as well', async () => {
  const stand = await newStand();
  const before = await stand.keep(30);
  const writers = stand.newWriters();
  writers.start();
  await eventually(async () => expect(await stand.written()).toEqual(byChat(before)), 20_000);
  await writers.stop();
  // Where the writers stood, in another course of things, there is a message now that they have not seen.
  const meanwhile = await stand.keep(60);
  const { lastPosition } = await stand.ingestLog.state();
  await stand.database.pool.query('update ingest.partitions set position = $1', [lastPosition]);

  stand.newWriters().start();

  await eventually(async () => expect(await stand.written()).toEqual(byChat([...before, ...meanwhile])), 20_000);
  expect(stand.lines.errors).toHaveLength(partitions);
});

test('a stream is known by the entry at the position, whatever became of it, and not by one that was not dealt with', async () => {
  const stand = await newStand();
  await stand.keep(3);
  await stand.keep(1, { chatId: stand.chatIds[0]!, text: 'nul \0 nul' });
  await stand.keep(1, { chatId: 'no id' });
  await stand.keep(1, { chatId: '' });
  await stand.keep(1, { chatId: randomUUID() });
  const { lastPosition } = await stand.ingestLog.state();
  const known = (partition: number, position: number) => standsInLog(stand, { partition, position }, lastPosition);
  const at = async (position: number) => (await stand.ingestLog.find(position))!.partition;
  // The last one has no chat in which it could be written.
  for (let position = 1; position < lastPosition; position += 1)
    expect(await known(await at(position), position)).toBe(false);

  stand.newWriters().start();

  for (let position = 1; position <= lastPosition; position += 1) {
    const partition = await at(position);
    await eventually(async () => expect(await known(partition, position)).toBe(true), 20_000);
    expect(await known((partition + 1) % partitions, position)).toBe(false);
  }
  expect(await known(0, 0)).toBe(true);
  expect(await known(0, lastPosition + 1)).toBe(false);
});

test('nothing leaves a stream while it is not known to be what it was', async () => {
  const stand = await newStand();
  const [message] = await stand.keep(1);
  const partition = partitionOf(message!.chatId, partitions);
  const writerId = randomUUID();
  await stand.repository.takePartitions(writerId, 60_000);
  const asked = Promise.withResolvers<void>();
  const trimmed: number[] = [];
  const ingestLog: IngestLog = {
    partitions,
    state: async () => {
      asked.resolve();
      throw new Error('NATS is away');
    },
    find: (position) => stand.ingestLog.find(position),
    append: (messages) => stand.ingestLog.append(messages),
    read: (...span) => stand.ingestLog.read(...span),
    trim: async (_, position) => void trimmed.push(position),
    close: async () => {},
  };
  const { repository } = stand;
  const writer = new PartitionWriter(
    { ingestLog, repository, bus: new MemoryBus(), slots: new Slots(1), log: stand.lines.logger },
    { maxBatch: 10, keepMs: 0 },
    { writerId, partition, position: 1 },
  );
  await asked.promise;
  await writer.trim();
  expect(trimmed).toEqual([]);
  await writer.stop();
});
