import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { switchIngest } from '../../app/ingest/switch-ingest.ts';
import { readConfig } from '../../config/config.ts';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { newGroup, personOf, say, signIn } from '../../testing/clients/person.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { ingestEnv } from '../../testing/services/ingest-env.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService } from '../../testing/services/test-service.ts';

let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

/** Nodes of both kinds on one database. */
async function newFixture() {
  // Without a writer: accepted messages wait in the log.
  const jetstream = { ...ingestEnv(nats), POSTGRES_DSN: await createTestDatabase(), WRITER_GIVE_UP_MS: '1000' };
  const env = { direct: { ...jetstream, INGEST: 'direct' }, jetstream: { ...jetstream, ROLES: 'grpc,gateway,auth' } };
  const log = new LogLines();
  return {
    log,
    async start(mode: 'direct' | 'jetstream', settings = {}) {
      const service = await startTestService({ ...env[mode], ...settings }, { log: log.logger });
      onTestFinished(() => service.stop());
      return service;
    },
    switchTo: (to: 'direct' | 'jetstream', settings = {}) =>
      switchIngest(readConfig({ ...jetstream, ...settings }), {
        to,
        log: log.logger,
        onWaiting: () => {},
        signal: new AbortController().signal,
      }),
  };
}

const refused = { code: 'UNAVAILABLE', reason: 'STORAGE_UNAVAILABLE' };

test('a node with the other setting does not start, and says what to do', async () => {
  const { start } = await newFixture();
  await start('direct');
  await expect(start('jetstream')).rejects.toThrow(
    'INGEST is jetstream, but the database is set to direct: set INGEST=direct, or switch the database first',
  );
});

test('a node with another stream does not start until the first one has been written', async () => {
  const { start, switchTo } = await newFixture();
  const service = await start('jetstream');
  const alice = await signIn(service.transport(), 'alice');
  await say(alice, await newGroup(alice), 'in the first stream');
  const other = { INGEST_STREAM: `OTHER_${randomUUID()}` };
  await expect(start('jetstream', other)).rejects.toThrow(
    /^accepted messages are in the stream STREAM_.*, not in OTHER_/,
  );
  await switchTo('direct');
  await switchTo('jetstream', other);
  await start('jetstream', other);
});

test('a switch to direct first writes what was accepted, and old nodes accept nothing more', async () => {
  const { start, switchTo } = await newFixture();
  const old = await start('jetstream');
  const alice = await signIn(old.transport(), 'alice');
  const group = await newGroup(alice);
  for (const text of ['1', '2', '3']) expect(await say(alice, group, text)).toMatchObject({ seq: 0 });

  await switchTo('direct');

  await expect(say(alice, group, 'too late')).rejects.toMatchObject(refused);
  const direct = await start('direct');
  const same = personOf(direct.transport(), alice);
  expect((await say(same, group, '4')).seq).toBeGreaterThan(0);
  const { messages } = await same.chat.listMessages({ chatId: group.id, afterSeq: 1, pageSize: 10 });
  expect(messages.map(({ text }) => text)).toEqual(['1', '2', '3', '4']);
});

test('after a switch to jetstream, old nodes store nothing more; and it can be switched to and fro', async () => {
  const { start, switchTo, log } = await newFixture();
  const direct = await start('direct');
  const alice = await signIn(direct.transport(), 'alice');
  const group = await newGroup(alice);
  await say(alice, group, '1');

  await switchTo('jetstream');

  await expect(say(alice, group, 'too late')).rejects.toMatchObject(refused);
  expect(JSON.stringify(log.lines)).toContain('restart this node with that setting');
  const jetstream = await start('jetstream');
  const same = personOf(jetstream.transport(), alice);
  expect(await say(same, group, '2')).toMatchObject({ seq: 0 });
  await switchTo('direct');
  await switchTo('jetstream');
  expect(await say(same, group, '3')).toMatchObject({ seq: 0 });
  await switchTo('direct');
  await say(alice, group, '4');
  const { messages } = await alice.chat.listMessages({ chatId: group.id, afterSeq: 1, pageSize: 10 });
  expect(messages.map(({ text }) => text)).toEqual(['1', '2', '3', '4']);
});
