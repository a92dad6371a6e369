import { expect, onTestFinished, test } from 'vitest';
import { startNats } from '../../servers/brokers.ts';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startConsole } from '../../testing/services/console-service.ts';

test('the room tells how late the export is, why it fails, and what waits', async () => {
  const nats = await startNats();
  const admin = await startConsole({
    EXPORT: 'jetstream',
    NATS_URL: `nats://exporter:a-secret@127.0.0.1:${nats.port}`,
  });
  onTestFinished(async () => {
    await admin.service.stop();
    await nats.stop();
  });
  const background = () => admin.get<Record<string, unknown>>('background');
  const alice = await signIn(admin.service.transport(), 'alice');
  const group = await newGroup(alice);
  await say(alice, group, 'exported');
  const sink = { name: 'jetstream', enabled: true, chatsToRegister: 0 };
  await eventually(async () =>
    expect(await background()).toMatchObject({
      sinks: [{ ...sink, waitingChats: 0, lagSeconds: null }],
      deletedChats: 0,
      ownRelay: { sink: 'jetstream', lagSeconds: 0 },
    }),
  );

  await nats.kill();
  await say(alice, group, 'waiting');
  await eventually(async () =>
    expect(await background()).toMatchObject({
      sinks: [{ ...sink, waitingChats: 1, lagSeconds: expect.any(Number) }],
      ownRelay: { failure: expect.any(String), lagSeconds: expect.any(Number) },
    }),
  );
  expect(JSON.stringify(await background())).not.toContain('a-secret');

  await nats.restart();
  await eventually(async () =>
    expect(await background()).toMatchObject({
      sinks: [{ ...sink, waitingChats: 0 }],
      ownRelay: { sink: 'jetstream', lagSeconds: 0 },
    }),
  );
  expect((await background()).ownRelay).not.toHaveProperty('failure');
});

test('a process that exports nothing says so', async () => {
  const admin = await startConsole();
  onTestFinished(() => admin.service.stop());
  expect(await admin.get('background')).toMatchObject({ sinks: [], ownRelay: null });
});
