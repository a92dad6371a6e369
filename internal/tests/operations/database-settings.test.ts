import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { lockWaits } from '../../testing/faults/row-lock.ts';
import { createEmptyDatabase, createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService } from '../../testing/services/test-service.ts';

const production = { NODE_ENV: 'production', ALLOW_INSECURE: 'guests' };

async function start(env: Record<string, string>) {
  const service = await startTestService(env);
  onTestFinished(() => service.stop());
  return service;
}

// The tests' server has fsync off.
test.each([
  [
    'in production it refuses settings that lose data',
    { synchronous_commit: 'off' },
    '',
    production,
    'synchronous_commit is off',
  ],
  [
    'in production it refuses an encoding other than UTF8',
    {},
    `encoding 'LATIN1' locale 'C'`,
    production,
    'server_encoding is LATIN1',
  ],
  [
    'it refuses a database that takes no writes',
    { default_transaction_read_only: 'on' },
    '',
    {},
    'default_transaction_read_only is on',
  ],
])('%s, in one line that names the database', async (_, settings, options, env, reason) => {
  const dsn = new URL(await createEmptyDatabase(options, settings));
  const error = await start({ POSTGRES_DSN: dsn.href, ...env }).catch((error) => error);
  expect(error.message).toMatch(/^cannot use the database postgres:.*: /);
  expect(error.message).toContain(dsn.pathname);
  expect(error.message).toContain(`${reason}: `);
  expect(error.message).not.toContain('\n');
  expect(error.message).not.toContain(dsn.password);
});

test('in production it starts with settings that lose data if that is allowed', async () => {
  const service = await start({ ...production, ALLOW_INSECURE: 'guests,data-loss' });
  const alice = await signIn(service.transport(), 'alice');
  await say(alice, await newGroup(alice), 'hello');
});

test('isolation level and formats of the database do not matter', async () => {
  const formats = { datestyle: 'SQL, DMY', timezone: 'Asia/Tokyo', bytea_output: 'escape' };
  const dsn = await createTestDatabase({ default_transaction_isolation: 'serializable', ...formats });
  const service = await start({ POSTGRES_DSN: dsn });
  const alice = await signIn(service.transport(), 'alice');
  const chat = await newGroup(alice);

  // The statement waits for another change of the chat, and must see it when it goes on.
  const other = new pg.Client({ connectionString: dsn });
  await other.connect();
  onTestFinished(() => other.end());
  await other.query('begin isolation level read committed');
  await other.query('update chats set last_seq = last_seq where id = $1', [chat.id]);
  const saying = say(alice, chat, 'hello');
  await lockWaits(dsn, 1);
  await other.query('commit');
  const { seq } = await saying;

  const { messages } = await alice.chat.listMessages({ chatId: chat.id });
  const said = messages.find((message) => message.seq === seq);
  expect(said!.createdAt!.getTime()).toBeGreaterThanOrEqual(Math.floor(chat.createdAt!.getTime()));
});
