import { randomUUID } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Message } from '../../model/message.ts';
import { readExported } from '../../testing/clients/exported-events.ts';
import { eventually } from '../../testing/eventually.ts';
import { startNats } from '../../testing/services/brokers.ts';
import type { ServerProcess } from '../../testing/services/server-process.ts';
import type { ExportedEvent } from './event-stream.ts';
import { NatsEventStream } from './nats-event-stream.ts';

let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

const url = () => `nats://127.0.0.1:${nats.port}`;

function open(prefix: string) {
  const stream = new NatsEventStream(
    { contentType: 'text/plain', encode: ({ text }) => Buffer.from(text) },
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
  onTestFinished(() => stream.close());
  return stream;
}

/** A stream as its operator sees it. */
async function manage() {
  const connection = await connect({ servers: `127.0.0.1:${nats.port}` });
  onTestFinished(() => connection.close());
  return (await jetstreamManager(connection)).streams;
}

const chatId = randomUUID();
const event = (updateSeq: number): ExportedEvent => {
  const sender = { id: 'alice', name: 'Alice' };
  const message: Message = {
    id: randomUUID(),
    chatId,
    seq: updateSeq,
    updateSeq,
    sender,
    clientMessageId: '',
    text: `text ${updateSeq}`,
    createdAt: new Date(),
  };
  return { kind: 'message', message };
};

test('an event is appended right after the one that it names, and by nobody who does not know that one', async () => {
  const stream = open('fenced');
  expect(await stream.findLast(chatId)).toBeUndefined();
  const first = await stream.append(event(1), 0);
  const second = await stream.append(event(2), first);
  await expect(stream.append(event(3), first)).rejects.toMatchObject({ name: 'OutOfPlace' });
  await expect(stream.append(event(3), 0)).rejects.toMatchObject({ name: 'OutOfPlace' });
  expect(await stream.findLast(chatId)).toEqual({ position: second, seq: 2 });
  await stream.append({ kind: 'chat_deleted', chatId }, second);
  expect(await stream.findLast(chatId)).toMatchObject({ seq: undefined });
  expect((await readExported(url(), 'fenced')).map(({ event, seq }) => [event, seq])).toEqual([
    ['message', 1],
    ['message', 2],
    ['chat_deleted', Number.NaN],
  ]);
});

test('an event that is given again soon stands where it did', async () => {
  const stream = open('repeated');
  const first = await stream.append(event(1), 0);
  expect(await stream.append(event(1), 0)).toBe(first);
  expect(await readExported(url(), 'repeated')).toHaveLength(1);
});

test('events that have gone by age leave the chat as if there were none', async () => {
  const stream = open('aged');
  const first = await stream.append(event(1), 0);
  await (await manage()).purge('aged', { filter: `aged.events.${chatId}` });
  await expect(stream.append(event(2), first)).rejects.toMatchObject({ name: 'OutOfPlace' });
  expect(await stream.findLast(chatId)).toBeUndefined();
  await stream.append(event(2), 0);
});

test('a stream that was deleted is made anew', async () => {
  const stream = open('deleted');
  await stream.append(event(1), 0);
  await (await manage()).delete('deleted');
  await eventually(() => stream.append(event(1), 0));
  expect(await readExported(url(), 'deleted')).toHaveLength(1);
});

test('a server that is away is an error within seconds, and none when it is back', async () => {
  const stream = open('away');
  const first = await stream.append(event(1), 0);
  await nats.kill();
  await expect(stream.append(event(2), first)).rejects.toThrow();
  const late = open('late');
  await expect(late.append(event(1), 0)).rejects.toThrow(/cannot connect to NATS/);
  await nats.restart();
  await eventually(() => late.append(event(1), 0));
  await eventually(async () => expect(await stream.append(event(2), first)).toBe(first + 1));
});
