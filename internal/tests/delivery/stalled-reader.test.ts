import { expect, onTestFinished, test } from 'vitest';
import { newRoom, say, signIn } from '../../testing/clients/person.ts';
import { RawReader } from '../../testing/clients/raw-reader.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService } from '../../testing/services/test-service.ts';

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
