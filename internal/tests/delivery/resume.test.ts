import { afterAll, beforeAll, expect, test } from 'vitest';
import { newRoom, type Person, say, signIn } from '../../testing/clients/person.ts';
import { commands, type StreamProbe } from '../../testing/clients/stream-probe.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

const historyLength = 120;

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ OUTBOX_BYTES: '8192' });
});
afterAll(() => service.stop());

test('a reader from any place in a history gets the rest of it and the new messages, once and in order', async () => {
  const writers = await Promise.all(Array.from({ length: 3 }, () => signIn(service.transport(), 'writer')));
  const room = await newRoom(writers[0]!, ...writers.slice(1));
  for (let i = writers.length; i < historyLength; i += 1) await say(writers[0]!, room, `old ${i}`);

  // Writers continue while readers subscribe at every place.
  let writing = true;
  const written = Promise.all(writers.map((writer) => writeWhile(() => writing, writer, room)));
  const reader = await signIn(service.transport(), 'reader');
  const { chat } = await reader.chat.joinRoom({ name: room.name });
  const streams: StreamProbe[] = [];
  for (let cut = 0; cut <= historyLength; cut += 1) {
    const stream = await reader.connect();
    streams.push(stream);
    expect(await stream.ask(commands.subscribe(room.id, cut))).toMatchObject({ value: { afterSeq: cut } });
  }
  await Promise.all(streams.map((stream) => stream.nextOf('caughtUp')));
  writing = false;
  await written;

  const { seq: last } = await say(writers[0]!, room, 'the last one');
  expect(last).toBeGreaterThan(chat!.lastSeq);
  for (const [cut, stream] of streams.entries()) {
    await stream.until(() => stream.messages(room.id).at(-1)?.seq === last);
    expect(stream.messages(room.id).map(({ seq }) => seq)).toEqual(range(cut + 1, last));
    expect(stream.all('caughtUp')).toHaveLength(1);
  }
  // caught_up has the number of the last message before it.
  for (const stream of streams) {
    const mark = stream.events.findIndex(({ $case }) => $case === 'caughtUp');
    const before = stream.events.slice(0, mark).filter(({ $case }) => $case === 'message');
    const { seq } = stream.all('caughtUp')[0]!;
    expect(before.at(-1)?.value ?? { seq }).toMatchObject({ seq });
  }
});

test('subscribe_all with cursors resumes every chat, and sends one caught_up for each', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const rooms = await Promise.all(Array.from({ length: 10 }, () => newRoom(alice)));
  for (const room of rooms) for (let i = 0; i < 30; i += 1) await say(alice, room, `m${i}`);
  const cuts = rooms.map((_, i) => i * 3);
  const stream = await alice.connect();

  const cursors = Object.fromEntries(rooms.map(({ id }, i) => [id, cuts[i]!]));
  await stream.ask(commands.subscribeAll(cursors));
  await Promise.all(rooms.map((room) => say(alice, room, 'live')));

  await stream.until(() => rooms.every(({ id }) => stream.messages(id).at(-1)?.seq === 32));
  await stream.until(() => stream.all('caughtUp').length >= rooms.length);
  for (const [i, { id }] of rooms.entries()) {
    expect(stream.messages(id).map(({ seq }) => seq)).toEqual(range(cuts[i]! + 1, 32));
  }
  expect(
    stream
      .all('caughtUp')
      .map(({ chatId }) => chatId)
      .sort(),
  ).toEqual(rooms.map(({ id }) => id).sort());
});

/** Writes while it may, but not more than a busy machine can deliver to all readers. */
async function writeWhile(goOn: () => boolean, writer: Person, room: { id: string }): Promise<void> {
  for (let i = 0; i < 500 && goOn(); i += 1) await say(writer, room, `new ${i}`);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
