// Slow: it rewrites whole tables, and waits until streams have forgotten.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startNats, startRedis } from '../../servers/brokers.ts';
import { PostgresProcess } from '../../servers/postgres-process.ts';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { whenWritten } from '../../testing/clients/when-written.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { ingestEnv } from '../../testing/services/ingest-env.ts';
import { startTestService } from '../../testing/services/test-service.ts';

/** Where a text is found: names of tables, files and keys. */
type Places = string[];

async function filesWith(folder: string, texts: readonly string[], wanted = (_path: string) => true): Promise<Places> {
  const places: Places = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !wanted(path)) continue;
    const content = await readFile(path).catch(() => Buffer.alloc(0));
    if (texts.some((text) => content.includes(text))) places.push(path.slice(folder.length + 1));
  }
  return places;
}

/** As a dump of the database would contain it: every row of every table. */
async function tablesWith(server: PostgresProcess, texts: readonly string[]): Promise<Places> {
  const client = await server.connect('chat');
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    const places: Places = [];
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(`select t::text as row from ${name} t`);
      // Binary columns are written in hexadecimal.
      const forms = texts.flatMap((text) => [text, Buffer.from(text).toString('hex')]);
      if (rows.some(({ row }) => forms.some((form) => row.includes(form)))) places.push(name);
    }
    return places;
  } finally {
    await client.end();
  }
}

async function keysWith(port: number, texts: readonly string[]): Promise<Places> {
  const redis = new Redis(port, '127.0.0.1');
  try {
    const keys = await redis.keys('*');
    const values = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
    return keys.filter((key, i) => texts.some((text) => key.includes(text) || values[i]?.includes(text)));
  } finally {
    redis.disconnect();
  }
}

test('a deleted text is in no table, file, key, stream, page or log afterwards', { timeout: 180_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chat-deleted-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const server = await PostgresProcess.start(folder, {});
  onTestFinished(() => server.stop());
  const dsn = await server.createDatabase('chat');
  const [nats, redis] = [await startNats(), await startRedis()];
  onTestFinished(() => nats.stop());
  onTestFinished(() => redis.stop());
  const log = new LogLines('trace');
  const service = await startTestService(
    {
      ...ingestEnv(nats),
      INGEST_DUPLICATE_WINDOW_SECONDS: '1',
      REDIS_URL: `redis://127.0.0.1:${redis.port}`,
      BUS_URL: `redis://127.0.0.1:${redis.port}`,
      EXPORT: 'jetstream',
      EDIT_HISTORY: 'true',
    },
    { dsn, log: log.logger },
  );
  onTestFinished(() => service.stop());
  const alice = await signIn(service.transport(), 'alice');
  const bob = await signIn(service.transport(), 'bob');
  const group = await newGroup(alice, bob);
  const reader = await bob.connect();
  await reader.ask(commands.subscribe(group.id, 0));

  // A long text is kept out of line, and compressed unless it is random.
  const long = Array.from({ length: 60 }, () => crypto.randomUUID()).join(' ');
  const data = [`datum ${crypto.randomUUID()}`, `other datum ${crypto.randomUUID()}`] as const;
  const parts = [`start ${crypto.randomUUID()}`, `part ${crypto.randomUUID()}`] as const;
  const own = [`secret ${crypto.randomUUID()}`, `second ${crypto.randomUUID()}`] as const;
  const texts = [...own, long.slice(0, 36), ...data, ...parts] as const;
  const change = { chatId: group.id, clientChangeId: '' };
  const [first, second] = [await say(alice, group, texts[0]), await say(alice, group, long)];
  const edit = { ...change, messageId: first.messageId, text: texts[1] };
  await whenWritten(() => alice.chat.editMessage({ ...edit, clientChangeId: 'edit', data: { secret: data[0] } }));
  // The data before is in the history of edits.
  await alice.chat.editMessage({ ...edit, clientChangeId: 'edit-again', data: { secret: data[1] } });
  await say(alice, group, 'stays');
  const growing = await alice.chat.startMessage({ chatId: group.id, clientMessageId: 'growing', text: parts[0] });
  await alice.chat.appendMessage({ chatId: group.id, messageId: growing.messageId, part: 1, text: parts[1] });

  const tables = ['base', 'global'].map((part) => join(server.dataFolder, part));
  const inTables = async () => (await Promise.all(tables.map((part) => filesWith(part, texts)))).flat();
  const inStreams = () => filesWith(nats.folder, texts);
  await eventually(async () => {
    await server.query('checkpoint', 'chat');
    expect(await tablesWith(server, texts)).toEqual(
      expect.arrayContaining(['public.messages', 'public.message_versions']),
    );
    expect(await inTables()).not.toEqual([]);
    expect((await inStreams()).filter((path) => path.includes('CHAT_EVENTS'))).not.toEqual([]);
    expect((await inStreams()).filter((path) => path.includes('STREAM_'))).not.toEqual([]);
  });

  for (const { messageId } of [first, second, growing]) await alice.chat.deleteMessage({ ...change, messageId });

  const { messages } = await alice.chat.listMessages({ chatId: group.id, pageSize: 50 });
  expect(messages.map(({ text }) => text).filter(Boolean)).toEqual(['stays']);
  const pages = [
    messages,
    await alice.chat.listChanges({ chatId: group.id, afterSeq: 0 }),
    await alice.chat.listMessageVersions({ chatId: group.id, messageId: first.messageId }),
    await alice.chat.listChats({}),
    await alice.chat.getMessage({ chatId: group.id, messageId: second.messageId }),
  ];
  for (const text of texts) expect(JSON.stringify(pages)).not.toContain(text);
  const late = await bob.connect();
  await late.ask(commands.subscribe(group.id, 0));
  await eventually(() => expect(late.events.some(({ $case }) => $case === 'caughtUp')).toBe(true));
  for (const text of texts) expect(JSON.stringify(late.events)).not.toContain(text);

  expect(await tablesWith(server, texts)).toEqual([]);
  await server.query('vacuum full', 'chat');
  await server.query('checkpoint', 'chat');
  expect(await inTables()).toEqual([]);
  expect(await keysWith(redis.port, texts)).toEqual([]);
  await eventually(async () => expect(await inStreams()).toEqual([]));
  for (const text of texts) expect(JSON.stringify(log.lines)).not.toContain(text);
});
