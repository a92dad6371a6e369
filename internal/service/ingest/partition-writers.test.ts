import { randomBytes, randomUUID } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import { encodeAccepted } from '../../client/ingest/accepted-message-codec.ts';
import type { IngestLog } from '../../client/ingest/ingest-log.ts';
import { NatsIngestLog } from '../../client/ingest/nats-ingest-log.ts';
import { partitionOf } from '../../client/ingest/partition-of.ts';
import { noMetrics } from '../../client/metrics/metrics.ts';
import { connectNats } from '../../client/nats/connect-nats.ts';
import type { AcceptedMessage } from '../../model/message.ts';
import { PartitionLost } from '../../repository/ingest-repository.ts';
import type { NewMessage } from '../../repository/message-repository.ts';
import { createDatabase, type Database } from '../../repository/postgres/connection/database.ts';
import { PostgresIngestRepository } from '../../repository/postgres/ingest/postgres-ingest-repository.ts';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { holdChat } from '../../testing/faults/row-lock.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { newMessage } from '../../testing/services/test-storage.ts';
import { writtenCounters } from '../writing/written-entries.ts';
import { identifyLog } from './identify-log.ts';
import { ingestCounters } from './ingest-counters.ts';
import { isPositionValid } from './is-position-valid.ts';
import { MessageAcceptor } from './message-acceptor.ts';
import { PartitionWriter } from './partition-writer.ts';
import { PartitionWriters, type PartitionWritersOptions } from './partition-writers.ts';
import { Semaphore } from './semaphore.ts';
import { SenderChecks } from './sender-checks.ts';

let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

const partitions = 6;

interface Fixture {
  dsn: string;
  database: Database;
  repository: PostgresIngestRepository;
  ingestLog: NatsIngestLog;
  lines: LogLines;
  chatIds: string[];
  /** The writers of another process, not started. */
  newWriters(options?: Partial<PartitionWritersOptions>): PartitionWriters;
  /** Appends messages to the log, in the chats by turns, and returns them. */
  append(count: number, message?: Partial<AcceptedMessage>): Promise<AcceptedMessage[]>;
  /** The texts of each chat, in the order of their numbers. */
  written(): Promise<Map<string, string[]>>;
}

async function newFixture(duplicateWindowMs = 60_000): Promise<Fixture> {
  const dsn = await createTestDatabase();
  const database = createDatabase({
    dsn,
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
  let appended = 0;
  return {
    dsn,
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
    async append(count, message = {}) {
      const messages = Array.from({ length: count }, (): AcceptedMessage => {
        appended += 1;
        return {
          id: randomUUID(),
          chatId: chatIds[appended % chatIds.length]!,
          sender: { id: 'alice', name: 'Alice' },
          clientMessageId: randomUUID(),
          text: `${appended}`,
          contentHash: Buffer.from('hash'),
          acceptedAt: new Date(),
          ...message,
        };
      });
      const answers = await ingestLog.append(messages);
      expect(answers.every(({ outcome }) => outcome === 'appended')).toBe(true);
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
  const fixture = await newFixture();
  const messages = await fixture.append(1_000);
  fixture.newWriters().start();
  await eventually(async () => expect(await fixture.written()).toEqual(byChat(messages)));
});

test('writers share the partitions evenly, and take over those of a writer that stops at once', async () => {
  const fixture = await newFixture();
  // None of them ever misses a heartbeat: partitions change hands because they are released.
  const newWriters = () => fixture.newWriters({ missingAfterMs: 60_000 });
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
  const messages = await fixture.append(200);
  await eventually(async () => expect(await fixture.written()).toEqual(byChat(messages)));
});

test('a writer that stops before it has a partition leaves its share to the others at once', async () => {
  const fixture = await newFixture();
  const first = fixture.newWriters({ heartbeatMs: 3_600_000, missingAfterMs: 3_600_000 });
  first.start();
  await eventually(() => expect(first.partitions).toHaveLength(6));
  const second = fixture.newWriters({ missingAfterMs: 3_600_000 });
  const known = async () => (await fixture.database.pool.query('select from ingest.writers')).rowCount;
  second.start();
  await eventually(async () => expect(await known()).toBe(2));
  await second.stop();
  expect(await known()).toBe(1);
});

test('messages that are appended while partitions change hands are written once, in order', async () => {
  const fixture = await newFixture();
  const messages: AcceptedMessage[] = [];
  const steady = fixture.newWriters({ maxBatch: 5 });
  steady.start();
  for (let i = 0; i < 6; i += 1) {
    const passing = fixture.newWriters({ maxBatch: 5 });
    passing.start();
    await eventually(() => expect(passing.partitions).not.toEqual([]));
    messages.push(...(await fixture.append(300)));
    await passing.stop();
    messages.push(...(await fixture.append(100)));
  }
  await eventually(async () => expect(await fixture.written()).toEqual(byChat(messages)));
});

test('a writer that has lost a partition cannot write to it, nor can one that has an old position', async () => {
  const fixture = await newFixture();
  const { repository } = fixture;
  const [old, young] = [randomUUID(), randomUUID()];
  await repository.takePartitions(old, 60_000);
  const [message] = await fixture.append(1);
  const range = { partition: 0, from: 0, to: 5 };
  // The old writer is without a heartbeat for a moment, and the young one takes all partitions.
  await eventually(async () => expect((await repository.takePartitions(young, 1)).size).toBe(partitions));

  await expect(repository.append({ ...range, writerId: old }, [message!])).rejects.toBeInstanceOf(PartitionLost);
  await expect(repository.refuse({ ...range, writerId: old }, Buffer.from(''), 'x')).rejects.toBeInstanceOf(
    PartitionLost,
  );
  await repository.append({ ...range, writerId: young }, [message!]);
  await expect(repository.append({ ...range, writerId: young }, [message!])).rejects.toBeInstanceOf(PartitionLost);
  expect(await fixture.written()).toEqual(byChat([message!]));
  const { rows } = await fixture.database.pool.query('select * from ingest.refused');
  expect(rows).toEqual([]);
});

test('a batch with a locked chat is written without that chat, and the position waits for the rest', async () => {
  const { repository, ...fixture } = await newFixture();
  const [locked, other] = fixture.chatIds as [string, string];
  const writerId = randomUUID();
  await repository.takePartitions(writerId, 60_000);
  const release = await holdChat(fixture.dsn, { id: locked });
  const own = await fixture.append(2, { chatId: locked });
  const others = await fixture.append(1, { chatId: other });
  const range = { writerId, partition: 0, from: 0, to: 3 };

  const outcomes = await repository.append(range, [own[0]!, others[0]!, own[1]!]);
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(['busy', 'stored', 'busy']);
  expect(await fixture.written()).toEqual(byChat(others));
  await release();

  expect((await repository.append(range, own)).map(({ seq }) => seq)).toEqual([1, 2]);
  expect(await fixture.written()).toEqual(byChat([...own, ...others]));
  await expect(repository.append(range, own)).rejects.toBeInstanceOf(PartitionLost);
});

test('a locked chat delays its own partition only, and its messages keep their order', async () => {
  const fixture = await newFixture();
  const [locked] = fixture.chatIds as [string];
  const isApart = (chatId: string) => partitionOf(chatId, partitions) !== partitionOf(locked, partitions);
  const release = await holdChat(fixture.dsn, { id: locked });
  const own = await fixture.append(3, { chatId: locked });
  const messages = await fixture.append(60);
  const apart = messages.filter(({ chatId }) => isApart(chatId));
  fixture.newWriters({ maxBatch: 10 }).start();

  await eventually(async () => {
    const written = await fixture.written();
    for (const [chatId, texts] of byChat(apart)) expect(written.get(chatId)).toEqual(texts);
    expect(written.get(locked)).toBeUndefined();
  });
  await release();

  await eventually(async () => expect(await fixture.written()).toEqual(byChat([...own, ...messages])));
});

test('while a table is missing, accepted messages wait, and none is set aside', async () => {
  const fixture = await newFixture();
  const messages = await fixture.append(20);
  await fixture.database.pool.query('alter table messages rename to gone');
  fixture.newWriters().start();
  const failures = () =>
    fixture.lines.lines.filter(({ msg }) => msg === 'accepted messages cannot be written: trying again');
  const withMessages = new Set(messages.map(({ chatId }) => partitionOf(chatId, partitions))).size;
  await eventually(() => expect(failures()).toHaveLength(withMessages));
  await fixture.database.pool.query('alter table gone rename to messages');

  await eventually(async () => expect(await fixture.written()).toEqual(byChat(messages)));
  expect((await fixture.database.pool.query('select * from ingest.refused')).rows).toEqual([]);
  expect(failures()).toHaveLength(withMessages);
});

test('a message that the database refuses is set aside, and those around it are written', async () => {
  const fixture = await newFixture();
  const before = await fixture.append(30, { chatId: fixture.chatIds[0]! });
  const [bad] = await fixture.append(1, { chatId: fixture.chatIds[0]!, text: 'nul \0 nul' });
  const after = await fixture.append(30, { chatId: fixture.chatIds[0]! });
  await fixture.append(1, { chatId: '' });
  fixture.newWriters().start();

  await eventually(async () => expect(await fixture.written()).toEqual(byChat([...before, ...after])));
  const { rows } = await eventually(async () => {
    const result = await fixture.database.pool.query('select reason, body from ingest.refused order by length(body)');
    expect(result.rows).toHaveLength(2);
    return result;
  });
  expect(rows[0]).toMatchObject({ reason: 'it cannot be read' });
  expect(rows[1].body.includes(bad!.id)).toBe(true);
  expect(fixture.lines.errors).toContainEqual(expect.objectContaining({ messageId: bad!.id, chatId: bad!.chatId }));
});

test('of two messages with one client_message_id the first is written, and a different one is logged', async () => {
  // After the duplicate window the stream does not recognise the others.
  const fixture = await newFixture(100);
  const message = { chatId: fixture.chatIds[0]!, clientMessageId: 'one', sender: { id: 'bob', name: 'Bob' } };
  const append = async (text: string) => {
    const appended = { ...message, id: randomUUID(), text, contentHash: Buffer.from(text), acceptedAt: new Date() };
    await eventually(async () => expect(await fixture.ingestLog.append([appended])).toEqual([{ outcome: 'appended' }]));
    return appended;
  };
  const first = await append('first');
  await append('first');
  const other = await append('other');
  const writers = fixture.newWriters();
  writers.start();
  const after = await fixture.append(3, { chatId: message.chatId });

  await eventually(async () => expect(await fixture.written()).toEqual(byChat([first, ...after])));
  const refused = async () => (await fixture.database.pool.query('select reason, body from ingest.refused')).rows;
  const recorded = [{ reason: 'another message has its client_message_id', body: Buffer.from(encodeAccepted(other)) }];
  await eventually(async () => expect(await refused()).toEqual(recorded));
  expect(fixture.lines.errors).toMatchObject([{ messageId: other.id, chatId: other.chatId }]);
  // A log that is read again from its start records it once.
  await writers.stop();
  await fixture.database.pool.query('update ingest.partitions set position = position + 1000');
  fixture.newWriters().start();
  await eventually(() => expect(fixture.lines.errors.length).toBeGreaterThan(2));
  expect(await refused()).toEqual(recorded);
});

test('each acceptance of a message is answered with the id that it gets, also after the duplicate window', async () => {
  const { repository, ingestLog, ...fixture } = await newFixture(100);
  const log = fixture.lines.logger;
  const { epochs } = fixture.database;
  const options = { max: 10, rememberMs: 1_000, timeoutMs: 60_000, restMs: 50 };
  const checks = new SenderChecks({ repository, epochs, log }, options);
  const acceptor = new MessageAcceptor({ checks, log: ingestLog });
  const message = { ...newMessage(fixture.chatIds[0]!, 'service:bot'), asService: true };
  const accept = async (content: Partial<NewMessage> = {}) =>
    (await acceptor.appendBatch([{ ...message, id: randomUUID(), ...content }], []))[0]!;
  const first = await accept();
  expect(first.outcome).toBe('accepted');
  expect(await accept()).toMatchObject({ outcome: 'accepted', messageId: first.messageId });
  // The log appends it again once its duplicate window has passed.
  await eventually(async () => {
    expect(await accept()).toMatchObject({ outcome: 'accepted', messageId: first.messageId });
    expect((await ingestLog.state()).entries).toBe(2);
  });
  fixture.newWriters().start();

  await eventually(async () => expect(await accept()).toMatchObject({ outcome: 'repeated', seq: 1 }));
  expect(await accept()).toMatchObject({ messageId: first.messageId });
  expect(await accept({ contentHash: Buffer.from('other') })).toMatchObject({ outcome: 'reused' });
  const { rows } = await fixture.database.pool.query('select id from messages');
  expect(rows).toEqual([{ id: first.messageId }]);
});

test('the time of a message is that of the database when it is written, whatever the clock of the node', async () => {
  const fixture = await newFixture();
  const chatId = fixture.chatIds[0]!;
  for (const acceptedAt of [new Date('2001-01-01'), new Date('2099-01-01'), new Date()]) {
    await fixture.append(1, { chatId, acceptedAt });
  }
  fixture.newWriters().start();
  await eventually(async () => expect((await fixture.written()).get(chatId)).toHaveLength(3));
  const { rows } = await fixture.database.pool.query(
    `select bool_and(created_at between chat_created_at and clock_timestamp()) as by_the_database,
       array_agg(created_at order by seq) = array_agg(created_at order by created_at) as in_order
     from (select m.*, date_trunc('milliseconds', c.created_at) as chat_created_at from messages m join chats c on c.id = m.chat_id) m`,
  );
  expect(rows).toEqual([{ by_the_database: true, in_order: true }]);
});

test('entries leave the stream when they were written long enough ago', async () => {
  const fixture = await newFixture();
  const messages = await fixture.append(60);
  fixture.newWriters({ keepMs: 1_000 }).start();
  await eventually(async () => expect(await fixture.written()).toEqual(byChat(messages)));
  await eventually(async () => expect((await fixture.ingestLog.state()).entries).toBe(0));
  const more = await fixture.append(60);
  await eventually(async () => expect(await fixture.written()).toEqual(byChat([...messages, ...more])));
});

test('a stream that was lost is created again and written from its start', async () => {
  const fixture = await newFixture();
  const messages = await fixture.append(60);
  fixture.newWriters().start();
  await eventually(async () => expect(await fixture.written()).toEqual(byChat(messages)));

  const { name, createdAt } = await fixture.ingestLog.state();
  const connection = await connectNats({ url: `nats://127.0.0.1:${nats.port}` }, 'test');
  await (await jetstreamManager(connection)).streams.delete(name);
  await connection.close();
  await eventually(async () => expect((await fixture.ingestLog.state()).createdAt).not.toBe(createdAt));
  // Fewer than before, so all their positions are below the old ones.
  const more = await fixture.append(30);

  await eventually(async () => expect(await fixture.written()).toEqual(byChat([...messages, ...more])));
  expect(fixture.lines.errors).toContainEqual(expect.objectContaining({ stream: name }));
});

test('a stream in the place of another is logged as an error once; the first stream is not an error', async () => {
  const fixture = await newFixture();
  const identify = () => identifyLog({ ...fixture, log: fixture.lines.logger });
  await fixture.database.pool.query('delete from ingest.stream');
  expect(await identify()).toMatchObject({ isSame: false });
  expect(await identify()).toMatchObject({ isSame: true });
  expect(fixture.lines.errors).toEqual([]);
  await fixture.database.pool.query(`update ingest.stream set created_at = 'another time'`);
  expect(await identify()).toMatchObject({ isSame: false });
  expect(await identify()).toMatchObject({ isSame: true });
  expect(fixture.lines.errors).toHaveLength(1);
});

test('a stream that has lost its end is read from its start, so that later messages are not skipped', async () => {
  const fixture = await newFixture();
  const before = await fixture.append(60);
  const writers = fixture.newWriters();
  writers.start();
  await eventually(async () => expect(await fixture.written()).toEqual(byChat(before)));
  await writers.stop();
  const meanwhile = await fixture.append(60);
  await fixture.database.pool.query('update ingest.partitions set position = position + 1000');

  fixture.newWriters().start();

  const all = await eventually(async () => {
    expect(await fixture.written()).toEqual(byChat([...before, ...meanwhile]));
    return fixture.append(60);
  });
  await eventually(async () => expect(await fixture.written()).toEqual(byChat([...before, ...meanwhile, ...all])));
  expect(fixture.lines.errors).toHaveLength(partitions);
});

test('so is a stream that has lost its end and has grown beyond it again', async () => {
  const fixture = await newFixture();
  const before = await fixture.append(30);
  const writers = fixture.newWriters();
  writers.start();
  await eventually(async () => expect(await fixture.written()).toEqual(byChat(before)));
  await writers.stop();
  // As if the writers had been at this position in a stream that was lost: the entry there is a message that they have not read.
  const meanwhile = await fixture.append(60);
  const { lastPosition } = await fixture.ingestLog.state();
  await fixture.database.pool.query('update ingest.partitions set position = $1', [lastPosition]);

  fixture.newWriters().start();

  await eventually(async () => expect(await fixture.written()).toEqual(byChat([...before, ...meanwhile])));
  expect(fixture.lines.errors).toHaveLength(partitions);
});

test('a position is valid if its entry was processed, in whatever way, and not otherwise', async () => {
  const fixture = await newFixture();
  await fixture.append(3);
  await fixture.append(1, { chatId: fixture.chatIds[0]!, text: 'nul \0 nul' });
  await fixture.append(1, { chatId: 'no id' });
  await fixture.append(1, { chatId: '' });
  await fixture.append(1, { chatId: randomUUID() });
  const { lastPosition } = await fixture.ingestLog.state();
  const isValid = (partition: number, position: number) =>
    isPositionValid(fixture, { partition, position }, lastPosition);
  const at = async (position: number) => (await fixture.ingestLog.find(position))!.partition;
  // The last entry has a chat that does not exist: nothing is left to do with it.
  for (let position = 1; position < lastPosition; position += 1)
    expect(await isValid(await at(position), position)).toBe(false);

  fixture.newWriters().start();

  for (let position = 1; position <= lastPosition; position += 1) {
    const partition = await at(position);
    await eventually(async () => expect(await isValid(partition, position)).toBe(true));
    expect(await isValid((partition + 1) % partitions, position)).toBe(false);
  }
  expect(await isValid(0, 0)).toBe(true);
  expect(await isValid(0, lastPosition + 1)).toBe(false);
});

test('a writer that cannot check its stream removes nothing from it', async () => {
  const fixture = await newFixture();
  const [message] = await fixture.append(1);
  const partition = partitionOf(message!.chatId, partitions);
  const writerId = randomUUID();
  await fixture.repository.takePartitions(writerId, 60_000);
  const asked = Promise.withResolvers<void>();
  const trimmed: number[] = [];
  const ingestLog: IngestLog = {
    partitions,
    partitionOf: (chatId) => fixture.ingestLog.partitionOf(chatId),
    state: async () => {
      asked.resolve();
      throw new Error('NATS is away');
    },
    find: (position) => fixture.ingestLog.find(position),
    append: (messages) => fixture.ingestLog.append(messages),
    appendAgain: (body, key) => fixture.ingestLog.appendAgain(body, key),
    read: (...span) => fixture.ingestLog.read(...span),
    findEnd: (of) => fixture.ingestLog.findEnd(of),
    setOpen: (isOpen) => fixture.ingestLog.setOpen(isOpen),
    trim: async (_, position) => void trimmed.push(position),
    close: async () => {},
  };
  const { repository } = fixture;
  const counters = { counters: writtenCounters(noMetrics), ingestCounters: ingestCounters() };
  const writer = new PartitionWriter(
    { ingestLog, repository, bus: new MemoryBus(), commits: new Semaphore(1), ...counters, log: fixture.lines.logger },
    { maxBatch: 10, keepMs: 0 },
    { writerId, partition, position: 1 },
  );
  await asked.promise;
  await writer.trim();
  expect(trimmed).toEqual([]);
  await writer.stop();
});
