import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../../testing/eventually.ts';
import { newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

test('the messages of a new database are known to the planner as soon as there are some', async () => {
  const { pool } = storage.database;
  const known = async () => {
    const { rows } = await pool.query<{ messages: number }>(
      "select reltuples::int as messages from pg_class where oid = 'messages'::regclass",
    );
    return rows[0]!.messages;
  };
  const { chat } = await storage.chats.createGroup(user('alice'), 'group', []);
  const write = (count: number) =>
    storage.messages.appendBatch(
      Array.from({ length: count }, () => newMessage(chat.id, 'alice')),
      ['OWNER'],
    );
  await write(100);
  expect(await known()).toBe(-1);
  await write(100);
  await eventually(async () => expect(await known()).toBeGreaterThanOrEqual(200));
});

test('what is planned for a few hundred messages does not read whole chats once there are thousands', async () => {
  const young = await openTestStorage();
  onTestFinished(() => young.close());
  const { pool } = young.database;
  const chats = await Promise.all(Array.from({ length: 8 }, () => young.chats.createGroup(user('bob'), 'group', [])));
  const write = async (count: number) => {
    const batch = Array.from({ length: count }, (_, i) => newMessage(chats[i % 8]!.chat.id, 'bob'));
    for (const { outcome } of await young.messages.appendBatch(batch, ['OWNER'])) expect(outcome).toBe('stored');
  };
  for (const { chat } of chats) {
    await pool.query(
      `with sent as (update chats set last_seq = last_seq + 24 where id = $1 returning last_seq - 24 as before)
       insert into messages (chat_id, seq, update_seq, id, sender_id, sender_name, client_message_id, content_hash, text, created_at)
       select $1, before + i, before + i, gen_random_uuid(), 'bob', 'bob', gen_random_uuid()::text, '', 'text', now()
       from sent, generate_series(1, 24) i`,
      [chat.id],
    );
  }
  await pool.query('analyze messages, members, chats');
  for (let i = 0; i < 60; i += 1) await write(32);

  await eventually(async () => {
    // Statistics are told once a second.
    const { rows } = await pool.query<{ index: string; entries: number }>(
      `select indexrelname as index, idx_tup_read::int as entries from pg_stat_user_indexes where relname = 'messages'`,
    );
    const { rows: tables } = await pool.query(`select n_live_tup from pg_stat_user_tables where relname = 'messages'`);
    expect(tables[0].n_live_tup).toBeGreaterThan(2_000);
    for (const { entries } of rows) expect(entries).toBeLessThan(1_000);
  });
});
