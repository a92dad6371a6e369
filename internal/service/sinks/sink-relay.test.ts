import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type EventSink, endOfChat, numberOf } from '../../client/sinks/event-sink.ts';
import { NatsEventLog } from '../../client/sinks/nats-event-log.ts';
import { OrderedLogSink } from '../../client/sinks/ordered-log-sink.ts';
import { protobufEvents } from '../../converter/exported-event.ts';
import { PostgresSinkCursorRepository } from '../../repository/postgres/sinks/postgres-sink-cursor-repository.ts';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { readExported } from '../../testing/clients/exported-events.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { MemoryEventSink } from '../../testing/collectors/memory-event-sink.ts';
import { eventually } from '../../testing/eventually.ts';
import { newMessage, openTestStorage, type TestStorage, user } from '../../testing/services/test-storage.ts';
import { SinkRelay } from './sink-relay.ts';

let nats: ServerProcess;
let storage: TestStorage;
beforeAll(async () => {
  nats = await startNats();
  storage = await openTestStorage();
});
afterAll(async () => {
  await storage.close();
  await nats.stop();
});

const alice = user('alice');
const url = () => `nats://127.0.0.1:${nats.port}`;
const exported = async (chatId: string) =>
  (await readExported(url())).filter(({ subject }) => subject.endsWith(chatId)).map(({ seq }) => seq);
const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

interface RelaySettings {
  name?: string;
  sink?: EventSink;
  leaseMs?: number;
}

function startRelay({ name = 'jetstream', sink = openNatsSink(), leaseMs = 10_000 }: RelaySettings = {}) {
  const relay = new SinkRelay(
    {
      cursors: new PostgresSinkCursorRepository(storage.database, name),
      messages: storage.messages,
      sink,
      log: new LogLines().logger,
    },
    { name, maxChats: 10, pageSize: 5, batchSize: 2, leaseMs, pollMs: 20, restMs: 20 },
  );
  onTestFinished(async () => {
    await relay.stop();
    await sink.close();
  });
  relay.start();
  return relay;
}

function openNatsSink(): EventSink {
  const log = new NatsEventLog(protobufEvents, {
    nats: { url: url() },
    stream: 'CHAT_EVENTS',
    prefix: 'chat',
    replicas: 1,
    maxAgeMs: 0,
    maxBytes: 0,
    ackTimeoutMs: 2_000,
  });
  return new OrderedLogSink(log, { erase: true });
}

async function newChat(messages: number): Promise<string> {
  const { chat } = await storage.chats.createGroup(alice, 'chat', []);
  await send(chat.id, messages);
  return chat.id;
}

async function send(chatId: string, messages: number): Promise<void> {
  const batch = Array.from({ length: messages }, () => newMessage(chatId, alice.id));
  // A relay that is new to the database may hold the chat's row for a moment.
  const outcomes = await storage.messages.appendBatch(batch, ['OWNER'], 10_000);
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(batch.map(() => 'stored'));
}

/** Moves the cursor back, as if a relay had died after it delivered the changes and before it stored the cursor. */
async function forgetAfter(chatId: string, seq: number): Promise<void> {
  await storage.database.pool.query(
    'update export.cursors set exported_seq = $2, position = 0, leased_until = null where chat_id = $1',
    [chatId, seq],
  );
}

test('changes that were delivered before the cursor was stored do not come again, even after the duplicate window of the stream', async () => {
  const chatId = await newChat(11);
  const first = startRelay();
  await eventually(async () => expect(await exported(chatId)).toHaveLength(12));
  await first.stop();
  const connection = await connect({ servers: `127.0.0.1:${nats.port}` });
  onTestFinished(() => connection.close());
  await (await jetstreamManager(connection)).streams.update('CHAT_EVENTS', { duplicate_window: 100_000_000 });
  const storedAt = Date.now();
  await eventually(() => expect(Date.now()).toBeGreaterThan(storedAt + 1_000));
  await forgetAfter(chatId, 3);
  await send(chatId, 2);
  startRelay();
  await eventually(async () => expect((await exported(chatId)).length).toBeGreaterThanOrEqual(14));
  expect(await exported(chatId)).toEqual(upTo(14));
});

test('a message that was edited is delivered again under its new number', async () => {
  const chatId = await newChat(2);
  startRelay();
  await eventually(async () => expect(await exported(chatId)).toEqual([1, 2, 3]));
  const [message] = (await storage.messages.listHistory(chatId, { afterSeq: 1 }, 1)).messages;
  await storage.edit(message!, 'changed');
  await eventually(async () => expect(await exported(chatId)).toEqual([1, 2, 3, 4]));
});

test('relays whose leases expire at once put nothing out of order', async () => {
  const chats = [await newChat(1), await newChat(1), await newChat(1)];
  for (let count = 0; count < 3; count += 1) startRelay({ leaseMs: 0 });
  for (let round = 0; round < 20; round += 1) await Promise.all(chats.map((chatId) => send(chatId, 10)));
  for (const chatId of chats) {
    await eventually(async () => expect((await exported(chatId)).length).toBeGreaterThanOrEqual(202));
    expect(await exported(chatId)).toEqual(upTo(202));
  }
});

test('of two sinks over one database the one that is away does not delay the other, and gets everything in order later', async () => {
  const chats = [await newChat(7), await newChat(0)];
  const [steady, away] = [new MemoryEventSink(), new MemoryEventSink()];
  away.isAway = true;
  startRelay({ name: 'steady', sink: steady });
  const relay = startRelay({ name: 'away', sink: away });
  const expectReceived = (sink: MemoryEventSink, ...counts: number[]) =>
    eventually(() => expect(chats.map((chatId) => sink.of(chatId).map(numberOf))).toEqual(counts.map(upTo)));
  await expectReceived(steady, 8, 1);
  await Promise.all(chats.map((chatId) => send(chatId, 12)));
  await expectReceived(steady, 20, 13);
  expect(chats.flatMap((chatId) => away.of(chatId))).toEqual([]);

  away.isAway = false;

  await expectReceived(away, 20, 13);
  // Its cursors are stored: another relay of the same sink has nothing to deliver again.
  await relay.stop();
  startRelay({ name: 'away', sink: away });
  await send(chats[0]!, 1);
  await expectReceived(away, 21, 13);
  await expectReceived(steady, 21, 13);
});

test('a sink gets the end of a chat after everything that it has of the chat', async () => {
  const sink = new MemoryEventSink();
  startRelay({ name: 'ends', sink });
  const chatId = await newChat(3);
  await eventually(() => expect(sink.of(chatId)).toHaveLength(4));
  await storage.chats.delete(chatId, alice, () => {});
  await eventually(() => expect(sink.of(chatId).map(numberOf)).toEqual([...upTo(4), endOfChat]));
});
