import { expect, onTestFinished, test } from 'vitest';
import { type EventStream, openEvents } from '../../testing/clients/event-stream.ts';
import { newGroup, personOf, say, signIn } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService } from '../../testing/services/test-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

// Slow: the buffers of a connection hold tens of megabytes before a reader is slow.
async function start() {
  const service = await startTestService({ OUTBOX_BYTES: '65536', MAX_TEXT_LENGTH: '16000' });
  onTestFinished(() => service.stop());
  return service;
}

test('a reader that stops reading costs bounded memory, delays no other reader, and gets everything when it continues', async () => {
  const service = await start();
  const writer = await signIn(service.transport(), 'writer');
  const own = await newGroup(writer);
  const asWriter = { authorization: `Bearer ${writer.token}` };
  const open = (): Promise<EventStream> => openEvents(`${service.url}/v1/chats/${own.id}/events?after_seq=0`, asWriter);
  const [stalled, live] = [await open(), await open()];
  for (const events of [stalled, live]) await events.next('caught_up');
  stalled.pause();
  let most = 0;
  const total = 2_000; // 32 MB
  for (let sent = 0; sent < total; sent += 100) {
    await Promise.all(Array.from({ length: 100 }, () => say(writer, own, 'x'.repeat(16_000))));
    most = Math.max(most, service.app.sessions.queuedBytes);
  }
  const numbers = (events: EventStream) => events.of('message').map(({ data }) => Number(data.seq));
  await live.until(() => numbers(live).length === 1 + total);
  expect(numbers(stalled).length).toBeLessThan(total / 2);
  expect(service.app.sessions.queuedBytes).toBeGreaterThan(0);
  expect(most).toBeLessThan(2 * (65_536 + 100 * 16_400));
  stalled.resume();
  await stalled.until(() => numbers(stalled).length === 1 + total);
  expect(numbers(stalled)).toEqual(Array.from({ length: 1 + total }, (_, i) => i + 1));
});

test('a banned reader that does not read is disconnected, and delays nothing', async () => {
  const service = await start();
  const [writer, eve] = [await signIn(service.transport(), 'writer'), await signIn(service.transport(), 'eve')];
  const shared = await newGroup(writer, eve);
  const events = await openEvents(`${service.url}/v1/chats/${shared.id}/events`, {
    authorization: `Bearer ${eve.token}`,
  });
  await events.next('caught_up');
  events.pause();
  for (let held = 0; held < 3; held = service.app.sessions.queuedBytes > 0 ? held + 1 : 0) {
    await Promise.all(Array.from({ length: 100 }, () => say(writer, shared, 'x'.repeat(4_000))));
  }
  const { token } = await issueToken(service.dsn, { userId: 'root', roles: ['admin'] });
  await personOf(service.transport(), { id: 'root', name: '', token }).chat.banUser({ userId: eve.id });
  await eventually(() => expect(service.app.sessions.size).toBe(0));
  events.resume();
  await expect(events.ended).rejects.toThrow('aborted');
});
