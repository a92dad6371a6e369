import { randomBytes, randomUUID } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import { NatsIngestLog } from '../../client/ingest/nats-ingest-log.ts';
import { connectNats } from '../../client/nats/connect-nats.ts';
import type { AcceptedMessage } from '../../model/message.ts';
import { PartitionLost } from '../../repository/ingest-repository.ts';
import { createDatabase, type Database } from '../../repository/postgres/database.ts';
import { PostgresIngestRepository } from '../../repository/postgres/postgres-ingest-repository.ts';
import { startNats } from '../../testing/brokers.ts';
import { eventually } from '../../testing/eventually.ts';
import { LogLines } from '../../testing/log-lines.ts';
import type { ServerProcess } from '../../testing/server-process.ts';
import { createTestDatabase } from '../../testing/test-database.ts';
import { PartitionWriters, type PartitionWritersOptions } from './partition-writers.ts';

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

test('a stream that was put back from an older copy is read from where it ends, and an error tells of it', async () => {
  const stand = await newStand();
  const before = await stand.keep(60);
  const writers = stand.newWriters();
  writers.start();
  await eventually(async () => expect(await stand.written()).toEqual(byChat(before)), 20_000);
  await writers.stop();
  await stand.database.pool.query('update ingest.partitions set position = position + 1000');

  stand.newWriters().start();

  await eventually(() => expect(stand.lines.errors).toHaveLength(partitions));
  const more = await stand.keep(60);
  await eventually(async () => expect(await stand.written()).toEqual(byChat([...before, ...more])), 20_000);
});
