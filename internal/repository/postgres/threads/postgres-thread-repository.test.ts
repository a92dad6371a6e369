import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrationsFolder } from '../../../app/database/open-database.ts';
import { query } from '../../../embedded/testing/test-bench.ts';
import type { Message } from '../../../model/message.ts';
import { testRandom } from '../../../testing/random.ts';
import { createTestDatabase } from '../../../testing/services/test-database.ts';
import { allow, newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import { readContents } from '../backup/read-contents.ts';
import { restoreContents } from '../backup/restore-contents.ts';
import { readMigrations } from '../migrations/goose.ts';
import { PostgresThreadRepository } from './postgres-thread-repository.ts';

let storage: TestStorage;
let threads: PostgresThreadRepository;
beforeAll(async () => {
  storage = await openTestStorage();
  threads = new PostgresThreadRepository(storage.database);
});
afterAll(() => storage.close());

const users = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace'];
const reader = (userId: string) => ({ userId, guard: allow });

async function newChat() {
  const { chat } = await storage.chats.createGroup(user('alice'), 'group', users.slice(1));
  return chat.id;
}

async function send(chatId: string, senderId: string, options: Parameters<typeof newMessage>[2] = {}) {
  const [sent] = await storage.messages.appendBatch(
    [newMessage(chatId, senderId, options)],
    ['MEMBER', 'OWNER'],
    10_000,
  );
  if (sent?.outcome !== 'stored') throw new Error(`the message was not stored: ${sent?.outcome}`);
  return { ...sent, id: sent.messageId, chatId };
}

/** What the messages of the chat say of a thread. */
function recount(messages: readonly Message[], rootId: string) {
  const replies = messages.filter((message) => message.rootId === rootId);
  if (replies.length === 0) return undefined;
  const counted = replies.filter(({ deletion }) => !deletion);
  const last = counted.at(-1);
  return {
    replyCount: counted.length,
    lastSeq: last?.seq ?? 0,
    ...(last && { lastAt: last.createdAt }),
    participantIds: [...new Set(counted.map(({ sender }) => sender.id))].slice(0, 5),
    updateSeq: expect.any(Number),
  };
}

test('summaries and unread counts equal a recount while members send and delete at once', async () => {
  const random = testRandom();
  const chatId = await newChat();
  const roots = await Promise.all(Array.from({ length: 3 }, () => send(chatId, random.pick(users)!)));
  const sent: { chatId: string; id: string }[] = [];
  const marks = new Map<string, number>();

  const act = async () => {
    const sender = random.pick(users)!;
    const root = random.pick(roots)!;
    const target = random.pick([...sent, undefined]);
    const chance = random.next();
    if (chance < 0.6 || !target) {
      const silent = random.next() < 0.2;
      const reply = await send(chatId, sender, {
        rootId: (random.next() < 0.3 && target?.id) || root.id,
        ...(silent && { silent }),
      });
      sent.push(reply);
    } else if (chance < 0.9) {
      const [deleted] = sent.splice(sent.indexOf(target), 1);
      await storage.delete(deleted!, random.next() < 0.5);
    } else {
      await threads.follow({ chatId, messageId: root.id, reader: reader(sender) });
      const { readSeq } = await threads.markRead(
        { chatId, messageId: root.id, reader: reader(sender) },
        root.seq + sent.length,
      );
      marks.set(`${sender} ${root.id}`, readSeq);
    }
  };
  for (let round = 0; round < 12; round += 1) {
    await Promise.all(Array.from({ length: 10 }, act));

    const { rows } = await storage.database.pool.query<{
      seq: number;
      sender_id: string;
      silent: boolean | null;
      root_id: string | null;
      deleted: boolean;
    }>(
      'select seq, sender_id, silent, root_id, deleted_at is not null as deleted from messages where chat_id = $1 order by seq',
      [chatId],
    );
    const page = (await storage.messages.findChanges(chatId, 0, 1_000))!;
    const messages = page.batch.entries.flatMap((entry) => (entry.kind === 'message' ? [entry.message] : []));
    // Hidden messages come as changes only, and count for nothing but that there was a thread.
    for (const root of roots) {
      const counted = recount(messages, root.id);
      const { thread } = await storage.messages.get(chatId, root.id);
      if (counted) expect(thread).toEqual(counted);
      else expect(thread?.replyCount ?? 0).toBe(0);
    }
    for (const follower of users) {
      const { items } = await threads.listFollowed(follower, chatId, 10);
      for (const { root, readSeq, unreadCount } of items) {
        const unread = rows.filter(
          (row) =>
            row.root_id === root.id && !row.deleted && !row.silent && row.sender_id !== follower && row.seq > readSeq,
        );
        expect(unreadCount).toBe(unread.length);
        expect(readSeq).toBeGreaterThanOrEqual(marks.get(`${follower} ${root.id}`) ?? 0);
      }
    }
  }
});

describe('a batch', () => {
  test('of messages of one thread is counted whole, and repetitions are not counted again', async () => {
    const chatId = await newChat();
    const root = await send(chatId, 'alice');
    const batch = Array.from({ length: 40 }, (_, i) => newMessage(chatId, users[i % 7]!, { rootId: root.id }));
    for (let i = 0; i < 2; i += 1) await storage.messages.appendBatch(batch, ['MEMBER', 'OWNER'], 10_000);
    const { thread } = await storage.messages.get(chatId, root.id);
    expect(thread).toMatchObject({ replyCount: 40, lastSeq: 42, participantIds: users.slice(0, 5) });
    const { items } = await threads.listFollowed('grace', chatId, 10);
    expect(items).toMatchObject([{ readSeq: 9, unreadCount: 29 }]);
  });

  test('makes unread messages that are counted exactly up to a limit', async () => {
    const chatId = await newChat();
    const root = await send(chatId, 'alice');
    const sendMany = (count: number) =>
      storage.messages.appendBatch(
        Array.from({ length: count }, () => newMessage(chatId, 'bob', { rootId: root.id })),
        ['MEMBER'],
        10_000,
      );
    const unread = async () => (await threads.listFollowed('alice', chatId, 10)).items[0]?.unreadCount;
    await sendMany(999);
    expect(await unread()).toBe(999);
    await sendMany(5);
    expect(await unread()).toBe(1_000);
    expect((await storage.messages.get(chatId, root.id)).thread).toMatchObject({ replyCount: 1_004 });
  });
});

test('a deletion by a node of the version before is counted', async () => {
  const chatId = await newChat();
  const root = await send(chatId, 'alice');
  const reply = await send(chatId, 'bob', { rootId: root.id });
  await storage.database.pool.query(
    `select * from append_changes(array[$1::uuid], array[$2::uuid], array['deleted'], array['bob'], array['d'], array['\\x00'::bytea],
      array[null], array[false], array[null::bigint], array[''], '{}', '{MEMBER}', '{}', null, null, true, 0)`,
    [chatId, reply.id],
  );
  expect((await storage.messages.get(chatId, root.id)).thread).toMatchObject({
    replyCount: 0,
    lastSeq: 0,
    updateSeq: 4,
  });
});

test('threads are restored as they were, and not counted again', async () => {
  const chatId = await newChat();
  const root = await send(chatId, 'alice');
  for (let i = 0; i < 3; i += 1) await send(chatId, 'bob', { rootId: root.id });
  const migrations = await readMigrations(migrationsFolder);
  const { signal } = new AbortController();
  const saved = new Map<string, Buffer>();
  const known = migrations.map(({ version }) => version);
  const save = async (table: string, rows: Readable) => void saved.set(table, await buffer(rows));
  const contents = await readContents({ dsn: storage.dsn, known, signal, save });
  const dsn = await createTestDatabase();
  const open = (table: string) => Readable.from([saved.get(table)!]);
  await restoreContents({ dsn, contents, migrations, only: /./, replace: true, signal, open, onProgress() {} });

  for (const table of ['threads', 'thread_follows']) {
    const rows = (from: string) => query(from, `select * from ${table} where chat_id = '${chatId}' order by 2, 3`);
    expect(await rows(dsn)).toEqual(await rows(storage.dsn));
    expect(await rows(dsn)).not.toEqual([]);
  }
});

test('a page of a thread, of followed threads and an unread count are read by indexes, whatever else the chat has', async () => {
  const chatId = await newChat();
  const root = await send(chatId, 'alice');
  await storage.messages.appendBatch(
    Array.from({ length: 3_000 }, () => newMessage(chatId, 'alice')),
    ['OWNER'],
    10_000,
  );
  for (let i = 0; i < 20; i += 1) await send(chatId, 'bob', { rootId: root.id });
  const { pool, db } = storage.database;
  await pool.query('analyze');
  const read = (work: (repository: PostgresThreadRepository) => Promise<unknown>) =>
    db.transaction().execute(async (tx) => {
      // In so small a table the planner may prefer to read all of it.
      await sql`set local enable_seqscan = off`.execute(tx);
      // Contains what the connection has read before and not reported yet.
      const count = async () => {
        const { rows } = await sql<{ read: string }>`
          select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) as read from pg_stat_xact_user_tables
          where relname in ('messages', 'threads', 'thread_follows')`.execute(tx);
        return Number(rows[0]!.read);
      };
      const before = await count();
      await work(new PostgresThreadRepository({ db: tx, reads: tx }));
      return (await count()) - before;
    });
  const thread = { chatId, messageId: root.id, reader: reader('alice') };
  for (const work of [
    (repository: PostgresThreadRepository) => repository.list(thread, 'newest', 10),
    (repository: PostgresThreadRepository) => repository.listFollowed('alice', chatId, 10),
    (repository: PostgresThreadRepository) => repository.markRead(thread, 1),
  ]) {
    const count = await read(work);
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(300);
  }
});
