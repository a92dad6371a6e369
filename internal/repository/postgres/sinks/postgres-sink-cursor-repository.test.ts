import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../../testing/eventually.ts';
import { lockWaits } from '../../../testing/faults/row-lock.ts';
import { createTestDatabase } from '../../../testing/services/test-database.ts';
import { newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import { migrate } from '../migrations/migrate.ts';
import { PostgresSinkCursorRepository } from './postgres-sink-cursor-repository.ts';

const alice = user('alice');
let storage: TestStorage;
let cursors: PostgresSinkCursorRepository;
let epoch: string;
beforeAll(async () => {
  storage = await openTestStorage();
  cursors = new PostgresSinkCursorRepository(storage.database, 'jetstream');
  epoch = (await storage.database.pool.query<{ id: string }>('select id from note_epoch()')).rows[0]!.id;
});
afterAll(() => storage.close());

const newChat = async () => (await storage.chats.createGroup(alice, 'chat', [])).chat.id;
const query = (text: string) => storage.database.pool.query(text);
const say = (chatId: string) => storage.messages.appendBatch([newMessage(chatId, alice.id)], ['OWNER'], 10_000);
const claimed = async () => (await cursors.claim(100, 60_000)).map(({ chatId }) => chatId).sort();

test('changes are recorded from `enable` on, those from before too, and each chat goes to one caller', async () => {
  const old = [await newChat(), await newChat(), await newChat(), await newChat(), await newChat()];
  expect(await claimed()).toEqual([]);
  // As if a relay had died in the middle of `enable`.
  await query(`select export.enable('jetstream'), export.note_old('jetstream', 2)`);
  await say(old[3]!);
  await cursors.enable();
  await cursors.enable();
  const [one, two] = [await cursors.claim(2, 60_000), await cursors.claim(100, 60_000)];
  expect(one).toHaveLength(2);
  expect([...one, ...two].map(({ chatId }) => chatId).sort()).toEqual(old.toSorted());
  expect(two[0]).toEqual({ chatId: expect.any(String), exportedSeq: 0, position: 0, deleted: false, epoch, replay: 0 });
  expect(await claimed()).toEqual([]);
  for (const chatId of old) await cursors.release({ chatId, exportedSeq: 2, position: 7, epoch, replay: 0 });
  expect(await claimed()).toEqual([]);
  await say(old[0]!);
  await say(old[0]!);
  expect(await cursors.claim(100, 0)).toEqual([
    { chatId: old[0]!, exportedSeq: 2, position: 7, deleted: false, epoch, replay: 0 },
  ]);
  // A relay whose lease has expired comes too late.
  await cursors.release({ chatId: old[0]!, exportedSeq: 1, position: 3, epoch, replay: 0 });
  expect(await cursors.claim(100, 0)).toMatchObject([{ exportedSeq: 2, position: 7 }]);
  await cursors.release({ chatId: old[0]!, exportedSeq: 3, position: 9, epoch, replay: 0 });
});

test('the backfill of a new sink waits for a locked chat without making the writers of other chats wait', async () => {
  const chatIds = [];
  for (let i = 0; i < 3; i += 1) chatIds.push(await newChat());
  const [before, locked, after] = chatIds.toSorted() as [string, string, string];
  // The trigger takes the chat's cursor as well.
  const outside = await storage.connect();
  await outside.query('begin');
  await outside.query('update chats set last_seq = last_seq + 1 where id = $1', [locked]);
  await query(
    `update export.sinks set backfilled = false, backfilled_through = '00000000-0000-0000-0000-000000000000'`,
  );

  const backfill = cursors.enable();
  await lockWaits(storage.dsn, 1);
  await say(before);
  await say(after);
  await outside.query('commit');

  await backfill;
  expect((await query('select backfilled from export.sinks')).rows).toEqual([{ backfilled: true }]);
  await query('update export.cursors set exported_seq = last_seq');
});

test('a deleted chat can be claimed until it is forgotten', async () => {
  const chatId = await newChat();
  await cursors.release({ chatId, exportedSeq: 1, position: 1, epoch, replay: 0 });
  await storage.chats.delete(chatId, alice, () => {});
  expect(await cursors.claim(100, 0)).toEqual([
    { chatId, exportedSeq: 1, position: 1, deleted: true, epoch, replay: 0 },
  ]);
  await cursors.forget(chatId);
  expect(await claimed()).toEqual([]);
});

test('nothing is recorded for a disabled sink; enabled again, it gets what it missed', async () => {
  await query(`select export.disable('jetstream')`);
  const chatId = await newChat();
  expect(await claimed()).toEqual([]);
  await cursors.enable();
  expect(await claimed()).toEqual([chatId]);
  await cursors.release({ chatId, exportedSeq: 1, position: 1, epoch, replay: 0 });
});

test('writers never wait for a relay', async () => {
  const chatId = await newChat();
  await cursors.claim(100, 60_000);
  await Promise.all(Array.from({ length: 20 }, () => say(chatId)));
  const relay = Array.from({ length: 20 }, (_, at) =>
    cursors.release({ chatId, exportedSeq: at + 1, position: at, epoch, replay: 0 }),
  );
  await Promise.all([...relay, ...Array.from({ length: 20 }, () => say(chatId))]);
  const { rows } = await query('select last_seq, exported_seq from export.cursors order by last_seq desc limit 1');
  expect(rows).toEqual([{ last_seq: 41, exported_seq: 20 }]);
});

test('chats that always have changes do not keep the others waiting', async () => {
  const chats = [await newChat(), await newChat(), await newChat(), await newChat(), await newChat()];
  await query('update export.cursors set last_seq = exported_seq');
  for (const chatId of chats)
    await query(`update export.cursors set last_seq = exported_seq + 1 where chat_id = '${chatId}'`);
  const relay = new PostgresSinkCursorRepository(storage.database, 'jetstream');
  const turns: string[][] = [];
  for (let i = 0; i < 6; i += 1) turns.push((await relay.claim(2, 0)).map(({ chatId }) => chatId));
  const [a, b, c, d, e] = chats.toSorted();
  expect(turns).toEqual([[a, b], [c, d], [e], [a, b], [c, d], [e]]);
  // At the end of a round the next one begins in the same call.
  await query(`update export.cursors set last_seq = exported_seq where chat_id = '${e}'`);
  const found = async () => (await relay.claim(2, 0)).map(({ chatId }) => chatId);
  expect([await found(), await found(), await found(), await found()]).toEqual([
    [a, b],
    [c, d],
    [a, b],
    [c, d],
  ]);
});

test('each sink has its own cursors and leases, and a new one gets what exists already', async () => {
  const chatId = await newChat();
  await cursors.release({ chatId, exportedSeq: 1, position: 1, epoch, replay: 0 });
  const other = new PostgresSinkCursorRepository(storage.database, 'other');
  await other.enable();
  const own = { chatId, deleted: false, epoch, replay: 0 };
  const ofChat = async (sink: PostgresSinkCursorRepository) =>
    (await sink.claim(100, 60_000)).filter((claim) => claim.chatId === chatId);

  expect(await ofChat(other)).toEqual([{ ...own, exportedSeq: 0, position: 0 }]);
  expect(await ofChat(cursors)).toEqual([]);
  await say(chatId);
  // The lease of the other sink does not count.
  expect(await ofChat(cursors)).toEqual([{ ...own, exportedSeq: 1, position: 1 }]);
  expect(await ofChat(other)).toEqual([]);

  await cursors.release({ chatId, exportedSeq: 2, position: 2, epoch, replay: 0 });
  await other.release({ chatId, exportedSeq: 1, position: 7, epoch, replay: 0 });
  expect(await ofChat(cursors)).toEqual([]);
  expect(await ofChat(other)).toEqual([{ ...own, exportedSeq: 1, position: 7 }]);
  await other.release({ chatId, exportedSeq: 2, position: 8, epoch, replay: 0 });

  await storage.chats.delete(chatId, alice, () => {});
  await other.forget(chatId);
  expect(await ofChat(cursors)).toEqual([{ chatId, exportedSeq: 2, position: 2, deleted: true, epoch, replay: 0 }]);
  await cursors.forget(chatId);

  await query(`select export.disable('other')`);
  const later = await newChat();
  expect((await other.claim(100, 0)).map((claim) => claim.chatId)).not.toContain(later);
  expect((await cursors.claim(100, 0)).map((claim) => claim.chatId)).toContain(later);
});

test('a change that is under way while a sink is enabled is not missed', async () => {
  const chatId = await newChat();
  const sink = new PostgresSinkCursorRepository(storage.database, 'late');
  const writer = await storage.connect();
  await writer.query('begin');
  await writer.query('update chats set last_seq = last_seq + 1 where id = $1', [chatId]);
  const waits = () =>
    eventually(async () => {
      const { rowCount } = await query(
        `select from pg_locks l join pg_database d on d.oid = l.database where not granted and datname = current_database()`,
      );
      expect(rowCount).toBeGreaterThan(0);
    });

  const enabling = sink.enable();
  await Promise.race([enabling, waits()]);
  await writer.query('commit');
  await enabling;

  const { rows } = await query(
    `select last_seq::int from export.cursors where sink = 'late' and chat_id = '${chatId}'`,
  );
  expect(rows).toEqual([{ last_seq: 2 }]);
});

test('the migration gives existing cursors to jetstream, and going back keeps them', async () => {
  const folder = fileURLToPath(new URL('../../../../migrations', import.meta.url));
  const dsn = await createTestDatabase();
  const upToHere = /^00(0\d|1[01])_/;
  const takeBack = async () => {
    while ((await migrate(dsn, folder, { down: true }))[0] !== '0011_sink_cursors.sql');
  };
  await takeBack();
  const client = new pg.Client({ connectionString: dsn });
  await client.connect();
  onTestFinished(() => client.end());
  const [first, second] = [randomUUID(), randomUUID()].toSorted() as [string, string];
  const send = (chatId: string) => client.query('update chats set last_seq = last_seq + 1 where id = $1', [chatId]);
  await client.query(`insert into chats (id, type, name, created_by) select unnest($1::uuid[]), 'GROUP', '', 'alice'`, [
    [first, second],
  ]);
  await client.query('select export.enable()');
  await client.query('select export.note_old(1)');
  await send(first);
  await client.query('update export.chats set exported_seq = 0, position = 5 where chat_id = $1', [first]);

  await migrate(dsn, folder, { only: upToHere });

  const listCursors = `select chat_id, sink, last_seq::int, exported_seq::int, position::int from export.cursors order by chat_id, sink`;
  const cursor = { chat_id: first, sink: 'jetstream', last_seq: 1, exported_seq: 0, position: 5 };
  expect((await client.query(listCursors)).rows).toEqual([cursor]);
  // The sink is still enabled, and its backfill goes on with the second chat.
  await send(first);
  await client.query(`select export.note_old('jetstream', 500), export.enable('other')`);
  const both = [
    { ...cursor, last_seq: 2 },
    { chat_id: second, sink: 'jetstream', last_seq: 0, exported_seq: 0, position: 0 },
  ];
  expect((await client.query(listCursors)).rows).toEqual(both);
  await send(first);

  await takeBack();

  await send(first);
  const { rows } = await client.query(
    'select chat_id, last_seq::int, exported_seq::int, position::int from export.chats order by chat_id',
  );
  const [one, two] = both.map(({ sink: _, ...rest }) => rest);
  expect(rows).toEqual([{ ...one, last_seq: 4 }, two]);
  expect((await client.query('select done from export.backfill')).rows).toEqual([{ done: false }]);
  await migrate(dsn, folder);
  expect((await client.query(listCursors)).rows).toEqual([{ ...both[0], last_seq: 4 }, both[1]]);
});
