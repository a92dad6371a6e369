import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { EventStream } from '../../client/sinks/event-stream.ts';
import { NatsEventStream } from '../../client/sinks/nats-event-stream.ts';
import { protobufMessage } from '../../converter/exported-message.ts';
import { PostgresExportRepository } from '../../repository/postgres/sinks/postgres-export-repository.ts';
import { readExported } from '../../testing/clients/exported-events.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { withFaults } from '../../testing/faults/with-faults.ts';
import { startNats } from '../../testing/services/brokers.ts';
import type { ServerProcess } from '../../testing/services/server-process.ts';
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
const exported = async (chatId: string, stream?: string) =>
  (await readExported(url(), stream)).filter(({ subject }) => subject.endsWith(chatId)).map(({ seq }) => seq);
const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

interface RelaySettings {
  sink?: string;
  stream?: string;
  prefix?: string;
  leaseMs?: number;
  faults?: (real: EventStream) => Partial<EventStream>;
}

function startRelay({
  sink = 'jetstream',
  stream: name = 'CHAT_EVENTS',
  prefix = 'chat',
  leaseMs = 10_000,
  faults = () => ({}),
}: RelaySettings = {}) {
  const stream = new NatsEventStream(protobufMessage, {
    nats: { url: url() },
    stream: name,
    prefix,
    replicas: 1,
    maxAgeMs: 0,
    maxBytes: 0,
    ackTimeoutMs: 2_000,
  });
  const relay = new SinkRelay(
    {
      exports: new PostgresExportRepository(storage.database, sink),
      messages: storage.messages,
      stream: withFaults<EventStream>(stream, faults),
      log: new LogLines().logger,
    },
    { maxChats: 10, pageSize: 5, leaseMs, pollMs: 20, restMs: 20 },
  );
  onTestFinished(async () => {
    await relay.stop();
    await stream.close();
  });
  relay.start();
  return relay;
}

async function newChat(messages: number): Promise<string> {
  const { chat } = await storage.chats.createGroup(alice, 'chat', []);
  await send(chat.id, messages);
  return chat.id;
}

async function send(chatId: string, messages: number): Promise<void> {
  await storage.messages.appendBatch(
    Array.from({ length: messages }, () => newMessage(chatId, alice.id)),
    ['OWNER'],
  );
}

/** As if a relay had died after it had exported the first so many changes and noted none of them since the number given. */
async function forgetAfter(chatId: string, seq: number): Promise<void> {
  await storage.database.pool.query(
    'update export.cursors set exported_seq = $2, position = 0, leased_until = null where chat_id = $1',
    [chatId, seq],
  );
}

test('what was exported and not noted does not come again, also when the stream has forgotten that it had it', async () => {
  const chatId = await newChat(11);
  const first = startRelay();
  await eventually(async () => expect(await exported(chatId)).toHaveLength(12));
  await first.stop();
  const connection = await connect({ servers: `127.0.0.1:${nats.port}` });
  onTestFinished(() => connection.close());
  await (await jetstreamManager(connection)).streams.update('CHAT_EVENTS', { duplicate_window: 100_000_000 });
  const forgotten = performance.now() + 1_000;
  await eventually(() => expect(performance.now()).toBeGreaterThan(forgotten));
  await forgetAfter(chatId, 3);
  await send(chatId, 2);
  startRelay();
  await eventually(async () => expect((await exported(chatId)).length).toBeGreaterThanOrEqual(14));
  expect(await exported(chatId)).toEqual(upTo(14));
});

test('a message that was changed comes again under its new number', async () => {
  const chatId = await newChat(2);
  startRelay();
  await eventually(async () => expect(await exported(chatId)).toEqual([1, 2, 3]));
  const [message] = (await storage.messages.listHistory(chatId, { afterSeq: 1 }, 1)).messages;
  await storage.edit(message!, 'changed');
  await eventually(async () => expect(await exported(chatId)).toEqual([1, 2, 3, 4]));
});

test('relays that take each other for dead put nothing out of order', async () => {
  const chats = [await newChat(1), await newChat(1), await newChat(1)];
  for (let count = 0; count < 3; count += 1) startRelay({ leaseMs: 0 });
  for (let round = 0; round < 20; round += 1) await Promise.all(chats.map((chatId) => send(chatId, 10)));
  for (const chatId of chats) {
    await eventually(async () => expect((await exported(chatId)).length).toBeGreaterThanOrEqual(202), 30_000);
    expect(await exported(chatId)).toEqual(upTo(202));
  }
});

test('of two sinks over one database one that is away does not hold up the other, and gets everything in order later', async () => {
  let isAway = true;
  startRelay({ sink: 'steady', stream: 'STEADY', prefix: 'steady' });
  startRelay({
    sink: 'away',
    stream: 'AWAY',
    prefix: 'away',
    faults: (real) => ({
      append: async (...call) => {
        if (isAway) throw new Error('away');
        return real.append(...call);
      },
    }),
  });
  const chats = [await newChat(7), await newChat(0)];
  for (const [at, count] of [8, 1].entries())
    await eventually(async () => expect(await exported(chats[at]!, 'STEADY')).toEqual(upTo(count)));
  await Promise.all(chats.map((chatId) => send(chatId, 12)));
  await eventually(async () => expect(await exported(chats[0]!, 'STEADY')).toEqual(upTo(20)));

  isAway = false;

  for (const [at, count] of [20, 13].entries()) {
    for (const stream of ['AWAY', 'STEADY'])
      await eventually(async () => expect(await exported(chats[at]!, stream)).toEqual(upTo(count)));
  }
});
