import { jetstreamManager } from '@nats-io/jetstream';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { listRefused, replayIngest } from '../../app/ingest/replay-ingest.ts';
import { encodeAccepted } from '../../client/ingest/accepted-message-codec.ts';
import { connectNats } from '../../client/nats/connect-nats.ts';
import { readConfig } from '../../config/config.ts';
import type { RefusedEntry } from '../../repository/refused-entry-repository.ts';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { ingestEnv } from '../../testing/services/ingest-env.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService } from '../../testing/services/test-service.ts';

let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

test('messages that were set aside are written by a replay, in order and under their ids, and those that cannot be are kept', async () => {
  const env = { ...ingestEnv(nats), POSTGRES_DSN: await createTestDatabase() };
  const { logger } = new LogLines();
  const service = await startTestService(env, { log: logger });
  onTestFinished(() => service.stop());
  const client = new pg.Client({ connectionString: env.POSTGRES_DSN });
  await client.connect();
  onTestFinished(() => client.end());
  const config = readConfig(env);
  const refused = async () => {
    const entries: RefusedEntry[] = [];
    await listRefused(config, logger, (entry) => entries.push(entry));
    return entries;
  };
  // As if PostgreSQL could not hold some texts.
  await client.query(`
    create function refuse() returns trigger language plpgsql as $$
    begin
      if new.text like 'bad%' then raise exception 'a bad text' using errcode = '22000'; end if;
      return new;
    end $$;
    create trigger refuse before insert on messages for each row execute function refuse()`);
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const accepted = new Map<string, string>();
  for (const text of ['good 1', 'bad 1', 'bad 2', 'good 2', 'bad 3']) {
    accepted.set(text, (await say(alice, group, text)).messageId);
  }
  await eventually(async () => expect(await refused()).toHaveLength(3));
  await client.query(
    `insert into ingest.refused (partition, position, reason, body) values (0, 0, 'it cannot be read', '\\xff')`,
  );

  // While the fault lasts, they come back.
  expect(await replayIngest(config, logger)).toEqual({ appended: 3, unreadable: 1 });
  await eventually(async () => {
    const entries = await refused();
    expect(entries.map(({ reason }) => reason)).toEqual(['it cannot be read', ...Array(3).fill('a bad text')]);
  });
  await client.query('drop trigger refuse on messages');
  expect(await replayIngest(config, logger)).toEqual({ appended: 3, unreadable: 1 });
  expect(await replayIngest(config, logger)).toEqual({ appended: 0, unreadable: 1 });

  await eventually(async () => {
    const { messages } = await alice.chat.listMessages({ chatId: group.id, afterSeq: 1, pageSize: 10 });
    const expected = ['good 1', 'good 2', 'bad 1', 'bad 2', 'bad 3'];
    expect(messages.map(({ text, id }) => [text, id])).toEqual(expected.map((text) => [text, accepted.get(text)]));
  });
  expect(await refused()).toHaveLength(1);
});

test('an entry that the log does not take stays set aside, and so do those after it', async () => {
  const settings = ingestEnv(nats);
  const env = { ...settings, POSTGRES_DSN: await createTestDatabase() };
  const { logger } = new LogLines();
  const service = await startTestService(env, { log: logger });
  await service.stop();
  const client = new pg.Client({ connectionString: env.POSTGRES_DSN });
  await client.connect();
  onTestFinished(() => client.end());
  const body = encodeAccepted({
    id: crypto.randomUUID(),
    chatId: crypto.randomUUID(),
    sender: { id: 'alice', name: 'Alice' },
    clientMessageId: 'one',
    text: 'text',
    contentHash: Buffer.from('hash'),
    acceptedAt: new Date(),
  });
  await client.query(
    `insert into ingest.refused (partition, position, reason, body) select 0, 0, 'x', $1 from generate_series(1, 2)`,
    [Buffer.from(body)],
  );
  const connection = await connectNats({ url: settings.NATS_URL! }, 'test');
  onTestFinished(() => connection.close());
  await (await jetstreamManager(connection)).streams.update(settings.INGEST_STREAM!, { max_msg_size: 1 });

  await expect(replayIngest(readConfig(env), logger)).rejects.toThrow(
    /did not take entry 1: .*; 0 entries were appended/,
  );
  expect((await client.query('select from ingest.refused')).rowCount).toBe(2);
  const other = readConfig({ ...env, INGEST_STREAM: `OTHER_${crypto.randomUUID()}` });
  await expect(replayIngest(other, logger)).rejects.toThrow('set INGEST_STREAM=');
  await client.query(`update ingest.mode set mode = 'direct'`);
  await (await jetstreamManager(connection)).streams.delete(settings.INGEST_STREAM!);
  await expect(replayIngest(readConfig(env), logger)).rejects.toThrow('the database is set to direct');
  expect((await client.query('select from ingest.refused')).rowCount).toBe(2);
});
