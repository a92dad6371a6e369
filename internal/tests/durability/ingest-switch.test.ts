import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { switchIngest } from '../../app/ingest/switch-ingest.ts';
import { readConfig } from '../../config/config.ts';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { newGroup, personOf, say, signIn } from '../../testing/clients/person.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { holdChat } from '../../testing/faults/row-lock.ts';
import { ingestEnv } from '../../testing/services/ingest-env.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService } from '../../testing/services/test-service.ts';

let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

interface Switching {
  settings?: Record<string, string>;
  onWaiting?(partitions: number): void;
  signal?: AbortSignal;
}

const never = new AbortController().signal;

/** Nodes of both kinds on one database. */
async function newFixture() {
  // Without a writer: accepted messages wait in the log.
  const jetstream = {
    ...ingestEnv(nats),
    POSTGRES_DSN: await createTestDatabase(),
    // Senders are checked within a quarter of it, also on a busy machine.
    WRITER_GIVE_UP_MS: '8000',
    CALL_TIMEOUT_MS: '20000',
  };
  const env = { direct: { ...jetstream, INGEST: 'direct' }, jetstream: { ...jetstream, ROLES: 'grpc,gateway,auth' } };
  const log = new LogLines();
  return {
    log,
    dsn: jetstream.POSTGRES_DSN,
    async start(mode: 'direct' | 'jetstream', settings = {}) {
      const service = await startTestService({ ...env[mode], ...settings }, { log: log.logger });
      onTestFinished(() => service.stop());
      return service;
    },
    switchTo: (to: 'direct' | 'jetstream', { settings = {}, onWaiting = () => {}, signal = never }: Switching = {}) =>
      switchIngest(readConfig({ ...jetstream, ...settings }), { to, log: log.logger, onWaiting, signal }),
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
  await switchTo('jetstream', { settings: other });
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

test('a switch that was interrupted, or overtaken by another one, is repeated or taken back', async () => {
  const { start, switchTo, dsn } = await newFixture();
  const node = await start('jetstream');
  const alice = await signIn(node.transport(), 'alice');
  const group = await newGroup(alice);
  await say(alice, group, '1');
  // Keeps the writers from the end of the stream.
  const release = await holdChat(dsn, group);
  const interrupted = new AbortController();
  await expect(
    switchTo('direct', { signal: interrupted.signal, onWaiting: () => interrupted.abort(new Error('interrupted')) }),
  ).rejects.toThrow('interrupted');
  await expect(say(alice, group, 'closed')).rejects.toMatchObject(refused);
  await expect(start('direct')).rejects.toThrow('the database is set to jetstream');

  const waiting = Promise.withResolvers<number>();
  const overtaken = switchTo('direct', { onWaiting: waiting.resolve });
  expect(await waiting.promise).toBe(1);
  const failed = expect(overtaken).rejects.toThrow(/was opened again meanwhile|another process has started to switch/);
  await switchTo('jetstream');
  await failed;
  await say(alice, group, '2');
  await release();
  await switchTo('direct');

  const direct = personOf((await start('direct')).transport(), alice);
  await say(direct, group, '3');
  const { messages } = await direct.chat.listMessages({ chatId: group.id, afterSeq: 1, pageSize: 10 });
  expect(messages.map(({ text }) => text)).toEqual(['1', '2', '3']);
});
