import { randomUUID } from 'node:crypto';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { readExported } from '../../testing/clients/exported-events.ts';
import { eventually } from '../../testing/eventually.ts';
import { type ExportedEvent, endOfChat } from './event-sink.ts';
import { messageEvent, type ReceivedEvent, testEventSink } from './event-sink-conformance.ts';
import { NatsEventLog } from './nats-event-log.ts';
import { OrderedLogSink } from './ordered-log-sink.ts';

let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

const url = () => `nats://127.0.0.1:${nats.port}`;

function open(prefix: string) {
  const log = new NatsEventLog(
    {
      encode: (event) =>
        'message' in event ? { contentType: 'text/plain', body: Buffer.from(event.message.text) } : undefined,
    },
    {
      nats: { url: url() },
      stream: prefix,
      prefix,
      replicas: 1,
      maxAgeMs: 86_400_000,
      maxBytes: 0,
      ackTimeoutMs: 2_000,
    },
  );
  onTestFinished(() => log.close());
  return log;
}

/** Manages streams as an operator does. */
async function manage() {
  const connection = await connect({ servers: `127.0.0.1:${nats.port}` });
  onTestFinished(() => connection.close());
  return (await jetstreamManager(connection)).streams;
}

const chatId = randomUUID();
const epoch = 'epoch1';
const event = (updateSeq: number) => messageEvent(chatId, updateSeq);

describe('a sink over the log', () => {
  testEventSink(async () => {
    const prefix = `sink_${randomUUID()}`;
    return {
      sink: new OrderedLogSink(open(prefix), { erase: true }),
      received: async (chatId) =>
        (await readExported(url(), prefix))
          .filter(({ subject }) => subject.endsWith(chatId))
          .map(({ event, seq, body }) =>
            event === 'message'
              ? { kind: event, number: seq, text: Buffer.from(body).toString() }
              : ({ kind: event } as ReceivedEvent),
          ),
      breakOff: () => nats.kill(),
      restore: () => nats.restart(),
    };
  });

  test('two relays with the same chat put nothing out of order', async () => {
    const log = open('shared');
    const [one, two] = [new OrderedLogSink(log, { erase: true }), new OrderedLogSink(log, { erase: true })];
    const first = await one.deliver([event(1), event(2)], 0, epoch);
    // Both continue from the same position, and the second one is ahead.
    await two.deliver([event(3), event(4), event(5)], first, epoch);
    const next = await one.deliver([event(3), event(4)], first, epoch);
    await one.deliver([event(5), event(6)], next, epoch);
    expect((await readExported(url(), 'shared')).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

test('a replay appends events again under ids of their own, and a relay that has not noticed it puts nothing in between', async () => {
  const log = open('replayed');
  const sink = new OrderedLogSink(log, { erase: true });
  const reached = await sink.deliver([event(1), event(2), event(3)], 0, epoch);
  const again = await sink.deliver([event(2)], 0, epoch, 1);
  await expect(sink.deliver([event(4)], reached, epoch)).rejects.toMatchObject({ name: 'Superseded' });
  // A repetition within the replay is none.
  await sink.deliver([event(2), event(3)], 0, epoch, 1);
  await sink.deliver([event(3), event(4)], again, epoch, 1);
  await sink.deliver([event(4)], 0, epoch, 2);
  const events = await readExported(url(), 'replayed');
  expect(events.map(({ id }) => id.slice(chatId.length))).toEqual([
    ...[`:1:${epoch}`, `:2:${epoch}`, `:3:${epoch}`],
    ...[`:2:${epoch}:r1`, `:3:${epoch}:r1`, `:4:${epoch}:r1`, `:4:${epoch}:r2`],
  ]);
});

test('an event is appended only directly after the last one of its chat', async () => {
  const log = open('fenced');
  expect(await log.findLast(chatId)).toBeUndefined();
  const first = await log.append(event(1), 0, epoch);
  const second = await log.append(event(2), first, epoch);
  await expect(log.append(event(3), first, epoch)).rejects.toMatchObject({ name: 'PositionConflict' });
  await expect(log.append(event(3), 0, epoch)).rejects.toMatchObject({ name: 'PositionConflict' });
  expect(await log.findLast(chatId)).toEqual({ chatId, epoch, position: second, number: 2, replay: 0 });
  await log.append({ kind: 'chat_deleted', chatId }, second, epoch);
  expect(await log.findLast(chatId)).toMatchObject({ number: endOfChat });
  expect((await readExported(url(), 'fenced')).map(({ event, seq }) => [event, seq])).toEqual([
    ['message', 1],
    ['message', 2],
    ['chat_deleted', Number.NaN],
  ]);
});

test('events with the same number are different events in each epoch', async () => {
  const log = open('epochs');
  const first = await log.append(event(1), 0, epoch);
  const second = await log.append(event(2), first, epoch);
  const sink = new OrderedLogSink(log, { erase: true });
  // The database went back to the number 1, and the cursor with it.
  await expect(sink.deliver([event(2)], first, 'epoch2')).rejects.toMatchObject({
    name: 'OtherEpoch',
    last: { chatId, epoch, number: 2, position: second },
  });
  const position = await sink.deliver([{ kind: 'reset', chatId, fromSeq: 1 }], second, 'epoch2');
  await sink.deliver([event(2)], position, 'epoch2');
  // A relay that has not noticed.
  await expect(sink.deliver([event(3)], second, epoch)).rejects.toMatchObject({ name: 'OtherEpoch' });
  expect((await readExported(url(), 'epochs')).map(({ event, seq }) => [event, seq])).toEqual([
    ['message', 1],
    ['message', 2],
    ['reset', 1],
    ['message', 2],
  ]);
});

test('of an erased message only the last event is left, and other events stay', async () => {
  const log = open('erased');
  const other = messageEvent(chatId, 2);
  const message = (event(1) as Extract<ExportedEvent, { kind: 'message' }>).message;
  const changed = (updateSeq: number): ExportedEvent => ({
    kind: 'message_changed',
    message: { ...message, updateSeq, text: `text ${updateSeq}` },
  });
  let position = 0;
  for (const next of [event(1), other, changed(3), { kind: 'covered', chatId, seq: 4 } as const, changed(5)]) {
    position = await log.append(next, position, epoch);
  }
  expect([await log.findOldestChanged(chatId, 4), await log.findOldestChanged(chatId, 5)]).toEqual([1, undefined]);
  await log.erase(chatId, new Set([1, 7]));
  await log.erase(chatId, new Set([1]));
  expect((await readExported(url(), 'erased')).map(({ event, seq }) => [event, seq])).toEqual([
    ['message', 2],
    ['covered', 4],
    ['message_changed', 5],
  ]);
});

test('the last event of each chat can be read back, also that of a release without epochs', async () => {
  const log = open('last');
  const others = [randomUUID(), randomUUID()] as const;
  await log.append(event(2), await log.append(event(1), 0, epoch), epoch);
  await log.append({ kind: 'chat_deleted', chatId: others[0] }, 0, epoch);
  const connection = await connect({ servers: `127.0.0.1:${nats.port}` });
  onTestFinished(() => connection.close());
  await jetstream(connection).publish(`last.events.${others[1]}`, '', { msgID: `${others[1]}:7` });
  expect(await Array.fromAsync(log.lastEvents())).toEqual([
    { chatId, epoch, number: 2, position: 2, replay: 0 },
    { chatId: others[0], epoch, number: endOfChat, position: 3, replay: 0 },
    { chatId: others[1], epoch: '', number: 7, position: 4, replay: 0 },
  ]);
});

test('an event that is appended again soon keeps its position', async () => {
  const log = open('repeated');
  const first = await log.append(event(1), 0, epoch);
  expect(await log.append(event(1), 0, epoch)).toBe(first);
  expect(await readExported(url(), 'repeated')).toHaveLength(1);
});

test('a chat whose events were all removed begins at position 0 again', async () => {
  const log = open('aged');
  const first = await log.append(event(1), 0, epoch);
  await (await manage()).purge('aged', { filter: `aged.events.${chatId}` });
  await expect(log.append(event(2), first, epoch)).rejects.toMatchObject({ name: 'PositionConflict' });
  expect(await log.findLast(chatId)).toBeUndefined();
  await log.append(event(2), 0, epoch);
});

test('a stream that was deleted is created again', async () => {
  const log = open('deleted');
  await log.append(event(1), 0, epoch);
  await (await manage()).delete('deleted');
  await eventually(() => log.append(event(1), 0, epoch));
  expect(await readExported(url(), 'deleted')).toHaveLength(1);
});

test('appending fails within seconds while the server is away, and works when it is back', async () => {
  const log = open('away');
  const first = await log.append(event(1), 0, epoch);
  await nats.kill();
  await expect(log.append(event(2), first, epoch)).rejects.toThrow();
  const late = open('late');
  await expect(late.append(event(1), 0, epoch)).rejects.toThrow(/cannot connect to NATS/);
  await nats.restart();
  await eventually(() => late.append(event(1), 0, epoch));
  await eventually(async () => expect(await log.append(event(2), first, epoch)).toBe(first + 1));
});
