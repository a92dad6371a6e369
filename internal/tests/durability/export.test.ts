import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Message } from '../../../pkg/api/chat/v1/chat.ts';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { eventsOf, expectExported, readExported } from '../../testing/clients/exported-events.ts';
import { newGroup, say, sayAll, signIn } from '../../testing/clients/person.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let nats: ServerProcess;
let env: Record<string, string>;
beforeEach(async () => {
  nats = await startNats();
  env = { POSTGRES_DSN: await createTestDatabase(), NATS_URL: url(), EXPORT: 'jetstream' };
});
afterEach(() => nats.stop());

const url = () => `nats://127.0.0.1:${nats.port}`;

async function start(more: Record<string, string> = {}, log = new LogLines('warn')): Promise<TestService> {
  const service = await startTestService({ ...env, ...more }, { log: log.logger });
  onTestFinished(() => service.stop());
  return service;
}

test('every change of a chat is exported, in order, as the JSON of the REST gateway', async () => {
  const service = await start();
  const alice = await signIn(service.transport(), 'alice');
  const bob = await signIn(service.transport(), 'bob');
  const chats = [await newGroup(alice, bob), await newGroup(alice), await newGroup(alice)];
  await sayAll(alice, chats, 2, 30);
  await expectExported(url(), chats, 30);
  const events = eventsOf(await readExported(url()), chats[0]!);
  for (const { event, contentType } of events) expect([event, contentType]).toEqual(['message', 'application/json']);
  const messages = events.map(({ body }) => JSON.parse(Buffer.from(body).toString()));
  expect(messages[0]).toMatchObject({ chatId: chats[0]!.id, seq: '1', system: { chatCreated: {} } });
  expect(messages[29]).toMatchObject({ seq: '30', updateSeq: '30', text: 'text 30', sender: { id: alice.id } });
});

test('in protobuf a change is a chat.v1.Message, and the end of a chat is exported too', async () => {
  const service = await start({ EXPORT_FORMAT: 'protobuf', EXPORT_PREFIX: 'acme.chat', EXPORT_STREAM: 'ACME' });
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  await say(alice, group, 'héllo');
  await eventually(async () => expect(await readExported(url(), 'ACME')).toHaveLength(2));
  await alice.chat.deleteChat({ chatId: group.id });
  const events = await eventually(async () => {
    const all = await readExported(url(), 'ACME');
    expect(all).toHaveLength(3);
    return all;
  });
  expect(events.map(({ event }) => event)).toEqual(['message', 'message', 'chat_deleted']);
  expect(new Set(events.map(({ subject }) => subject))).toEqual(new Set([`acme.chat.events.${group.id}`]));
  expect(Message.decode(events[1]!.body)).toMatchObject({ chatId: group.id, seq: 2, text: 'héllo' });
});

test('a reaction is exported as a chat.v1.ReactionChanged', async () => {
  const service = await start();
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const { messageId } = await say(alice, group, 'hello');
  const reaction = { chatId: group.id, messageId, emoji: '👍', clientChangeId: '' };
  await alice.chat.addReaction(reaction);
  await eventually(async () => expect(eventsOf(await readExported(url()), group)).toHaveLength(3));
  await alice.chat.removeReaction(reaction);
  const events = await eventually(async () => {
    const all = eventsOf(await readExported(url()), group);
    expect(all).toHaveLength(4);
    return all;
  });
  expect(events.map(({ event }) => event)).toEqual(['message', 'message', 'reaction', 'reaction']);
  const [, , added, removed] = events.map(({ body }) => JSON.parse(Buffer.from(body).toString()));
  const base = { messageId, messageSeq: '2', emoji: '👍', user: { id: alice.id } };
  expect(added).toMatchObject({ ...base, seq: '3', added: true, count: { count: 1 } });
  expect(removed).toMatchObject({ ...base, seq: '4', count: { emoji: '👍' } });
});

describe('the text of a message that is deleted', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chat-export-'));
    await nats.stop();
    nats = await startNats(['--store_dir', folder]);
    env.NATS_URL = url();
  });
  afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

  /** Those of the texts that are in the files of the stream. */
  async function stored(texts: readonly string[]): Promise<string[]> {
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const contents = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name))));
    return texts.filter((text) => contents.some((content) => content.includes(text)));
  }

  async function editAndDelete(): Promise<{ chatId: string; texts: string[] }> {
    const alice = await signIn((await start()).transport(), 'alice');
    const group = await newGroup(alice);
    const texts = ['first secret text', 'second secret text', 'not a secret'];
    const { messageId } = await say(alice, group, texts[0]!);
    await eventually(async () => expect(await readExported(url())).toHaveLength(2));
    const change = { chatId: group.id, messageId, reason: '' };
    await alice.chat.editMessage({ ...change, clientChangeId: 'edit', text: texts[1]! });
    await say(alice, group, texts[2]!);
    await eventually(async () => expect(await stored(texts)).toEqual(texts));
    await alice.chat.deleteMessage({ ...change, clientChangeId: 'delete', hide: false });
    return { chatId: group.id, texts };
  }

  test('is erased from the stream and its files', async () => {
    const { texts } = await editAndDelete();
    await eventually(async () => expect(await stored(texts)).toEqual([texts[2]]));
    const events = await readExported(url());
    expect(events.map(({ event, seq }) => [event, seq])).toEqual([
      ['message', 1],
      ['message', 4],
      ['message_changed', 5],
    ]);
    expect(JSON.parse(Buffer.from(events[2]!.body).toString())).toMatchObject({
      seq: '2',
      deletedAt: expect.any(String),
    });
  });

  test('stays with EXPORT_ERASE=false', async () => {
    env.EXPORT_ERASE = 'false';
    const { texts } = await editAndDelete();
    await eventually(async () => expect(await readExported(url())).toHaveLength(5));
    expect(await stored(texts)).toEqual(texts);
  });
});

test('changes from before the export was turned on are exported as well', async () => {
  const before = await startTestService({ ...env, EXPORT: 'none' });
  const alice = await signIn(before.transport(), 'alice');
  const group = await newGroup(alice);
  await sayAll(alice, [group], 2, 10);
  await before.stop();
  const service = await start();
  await expectExported(url(), [group], 10);
  await service.stop();
});

test('while NATS is unreachable sends succeed, and later every change is exported once and in order', async () => {
  const log = new LogLines('info');
  const service = await start({}, log);
  const alice = await signIn(service.transport(), 'alice');
  const chats = [await newGroup(alice), await newGroup(alice)];
  await sayAll(alice, chats, 2, 20);
  const flow = sayAll(alice, chats, 21, 120);
  await nats.kill();
  await flow;
  await eventually(() => expect(log.lines.map(({ msg }) => msg)).toContain('changes cannot be exported at the moment'));
  await nats.restart();
  await sayAll(alice, chats, 121, 130);
  await expectExported(url(), chats, 130);
  await eventually(() => expect(log.lines.map(({ msg }) => msg)).toContain('changes are exported again'));
  expect(log.lines.filter(({ msg }) => msg === 'changes cannot be exported at the moment')).toHaveLength(1);
});

test('two relays share the chats', async () => {
  const [one, two] = [await start(), await start()];
  const [alice, bob] = [await signIn(one!.transport(), 'alice'), await signIn(two!.transport(), 'bob')];
  const chats = await Promise.all(Array.from({ length: 20 }, (_, at) => newGroup(at % 2 ? alice : bob, alice, bob)));
  await Promise.all([sayAll(alice, chats, 2, 21), sayAll(bob, chats, 2, 21)]);
  await expectExported(url(), chats, 41);
});
