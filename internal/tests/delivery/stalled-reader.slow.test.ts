import { expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { newRoom, signIn } from '../../testing/clients/person.ts';
import { RawReader } from '../../testing/clients/raw-reader.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';

// Slow: 64 MB go through one process while several readers do not read.
const text = 'x'.repeat(16_000);
const messages = 4_000; // 64 MB
const batch = 200;

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
