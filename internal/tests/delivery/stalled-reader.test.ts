import { expect, onTestFinished, test } from 'vitest';
import { ConnectChatRequest, ConnectChatResponse } from '../../../pkg/api/chat/v1/chat.ts';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { newRoom, say, signIn } from '../../testing/clients/person.ts';
import { RawClient } from '../../testing/clients/raw-client.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService } from '../../testing/services/test-service.ts';

const text = 'x'.repeat(16_000);
const messages = 4_000; // 64 MB
const batch = 200;

test('the queue of a reader that has stopped reading is bounded', async () => {
  const service = await startTestService({ OUTBOX_BYTES: '65536' });
  onTestFinished(() => service.stop());
  const writer = await signIn(service.transport(), 'writer');
  const room = await newRoom(writer);
  const reader = new RawReader(service.address, writer.token);
  reader.subscribe(room.id);
  await eventually(() => expect(reader.caughtUp).toBe(true));
  reader.call.pause();

  let most = 0;
  for (let sent = 0; sent < 600; sent += 20) {
    await Promise.all(Array.from({ length: 20 }, () => say(writer, room, 'x'.repeat(4_000))));
    most = Math.max(most, service.app.sessions.queuedBytes);
  }

  // The queue takes a batch or a page while it is below its limit, so it can exceed the limit by one of them.
  expect(most).toBeLessThan(65_536 + 100 * 4_200);
  expect(most).toBeGreaterThan(0);
  reader.call.resume();
  await eventually(() => expect(reader.seqs).toEqual(Array.from({ length: 601 }, (_, i) => i + 1)));
});

test('readers that stop reading cost hardly any memory, delay no other reader, and get every message once when they continue', async () => {
  const env = {
    POSTGRES_DSN: await createTestDatabase(),
    MAX_TEXT_LENGTH: '16000',
    LOG_LEVEL: 'warn',
    NODE_OPTIONS: '--max-old-space-size=64 --max-semi-space-size=2',
  };
  const service = await ChildService.start(env);
  const transport = grpcTransport(service.address);
  onTestFinished(() => transport.close());
  const writer = await signIn(transport, 'writer');
  const room = await newRoom(writer);
  const live = await writer.connect();
  await live.ask(commands.subscribe(room.id));
  const send = async (count: number) => {
    const upTo = live.messages(room.id).length + count;
    for (let i = 0; i < count; i += 1) live.send(commands.send(room.id, text));
    await live.until(() => live.messages(room.id).length === upTo);
  };
  await send(batch);

  // Half of them stop while they are catching up, half while they are live.
  const stalled = Array.from({ length: 4 }, () => new RawReader(service.address, writer.token));
  for (const [i, reader] of stalled.entries()) {
    reader.subscribe(room.id);
    await eventually(() => expect(i % 2 === 0 || reader.caughtUp).toBe(true));
    reader.call.pause();
  }
  const before = await service.residentBytes();
  let peak = before;
  for (let sent = 0; sent < messages; sent += batch) {
    await send(batch);
    peak = Math.max(peak, await service.residentBytes());
  }

  expect(peak - before).toBeLessThan((messages * text.length) / 2);
  const { seq: last } = live.messages(room.id).at(-1)!;
  for (const { seqs } of stalled) expect(seqs.length).toBeLessThan(last / 2);
  for (const { call } of stalled) call.resume();
  for (const { seqs } of stalled) {
    await eventually(() => expect(seqs.at(-1)).toBe(last));
    expect(seqs).toEqual(Array.from({ length: last }, (_, i) => i + 1));
  }
});

test('a reader that does not read does not delay the stop of the service until DRAIN_TIMEOUT_MS', async () => {
  const service = await startTestService({ OUTBOX_BYTES: '65536', DRAIN_TIMEOUT_MS: '600000' });
  const writer = await signIn(service.transport(), 'writer');
  const room = await newRoom(writer);
  const reader = new RawReader(service.address, writer.token);
  reader.subscribe(room.id);
  await eventually(() => expect(reader.caughtUp).toBe(true));
  reader.call.pause();
  for (let held = 0; held < 3; held = service.app.sessions.queuedBytes > 0 ? held + 1 : 0) {
    await Promise.all(Array.from({ length: 20 }, () => say(writer, room, 'x'.repeat(4_000))));
  }
  await service.stop();
});

/** A client without the SDK, so that the test decides when it reads. */
class RawReader {
  readonly call: ReturnType<RawClient['connect']>;
  readonly seqs: number[] = [];
  caughtUp = false;

  constructor(address: string, token: string) {
    this.call = new RawClient(address).connect(token);
    this.call.on('data', (frame: Buffer) => {
      for (const { event } of ConnectChatResponse.decode(frame).events) {
        if (event?.$case === 'message') this.seqs.push(event.value.seq);
        this.caughtUp ||= event?.$case === 'caughtUp';
      }
    });
  }

  subscribe(chatId: string): void {
    const command = { commandId: '', command: commands.subscribe(chatId, 0) };
    this.call.write(ConnectChatRequest.encode({ commands: [command] }).finish());
  }
}
