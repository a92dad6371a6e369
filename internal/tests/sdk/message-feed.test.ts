import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  ChatClient,
  type ChatHandle,
  guest,
  type Message,
  type Transport,
  webSocketTransport,
} from '../../../pkg/chat-client/index.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ MAX_PAGE_SIZE: '40' });
});
afterAll(() => service.stop());

/** Creates a client behind a proxy that can be cut, and counts its requests for pages. */
async function shakyClient({ holdPage }: { holdPage?: () => Promise<unknown> } = {}) {
  const proxy = await startTcpProxy(service.url);
  const real = webSocketTransport(proxy.dsn);
  let pages = 0;
  const listMessages: Transport['chat']['listMessages'] = async (...args) => {
    pages += 1;
    const page = await real.chat.listMessages(...args);
    await holdPage?.();
    return page;
  };
  const transport: Transport = { ...real, chat: { ...real.chat, listMessages } };
  const client = new ChatClient({ transport, token: guest(uniqueName('reader')) });
  onTestFinished(async () => {
    await client.close();
    await proxy.close();
  });
  return { client, proxy, pages: () => pages };
}

async function newRoom() {
  const writer = await service.client(uniqueName('writer'));
  const { id, name } = await writer.joinRoom(uniqueName('room'));
  return { writer, name, chat: writer.chat(id) };
}

const write = (chat: ChatHandle, count: number) =>
  Promise.all(Array.from({ length: count }, (_, i) => chat.send(`${i}`)));

async function take(messages: AsyncIterator<Message>, count: number): Promise<number[]> {
  const seqs: number[] = [];
  while (seqs.length < count) {
    const { done, value } = await messages.next();
    if (done) throw new Error(`ended after ${seqs.length}`);
    seqs.push(value.seq);
  }
  return seqs;
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('a feed after a number gives first the history, then live messages, each once and in order', async () => {
  const { writer, name, chat } = await newRoom();
  await write(chat, 500);
  const { client } = await shakyClient();
  await client.connect();
  await client.joinRoom(name);
  const messages = client.chat(chat.id).messages({ afterSeq: 100 });
  const writing = write(chat, 500);
  expect(await take(messages, 902)).toEqual(numbers(101, 1_002));
  await writing;
  const { seq } = await writer.send(chat.id, 'one more');
  expect(await take(messages, 1)).toEqual([seq]);
});

test('a feed without a number gives only new messages', async () => {
  const { name, chat } = await newRoom();
  await write(chat, 10);
  const { client, pages } = await shakyClient();
  await client.connect();
  const { lastSeq } = await client.joinRoom(name);
  await eventually(async () => expect((await client.chats()).map(({ id }) => id)).toContain(chat.id));
  const messages = client.chat(chat.id).messages();
  const { seq } = await client.send(chat.id, 'now');
  expect(seq).toBe(lastSeq + 1);
  await eventually(async () => expect((await take(messages, 1))[0]).toBeGreaterThanOrEqual(lastSeq));
  expect(pages()).toBe(0);
});

test('a client that is not connected yet reads the history, and is live once it is', async () => {
  const { name, chat } = await newRoom();
  const { client } = await shakyClient();
  await client.joinRoom(name);
  await write(chat, 10);
  const messages = client.chat(chat.id).messages({ afterSeq: 0 });
  expect(await take(messages, 12)).toEqual(numbers(1, 12));
  const waiting = take(messages, 20);
  await write(chat, 10);
  await client.connect();
  await write(chat, 10);
  expect(await waiting).toEqual(numbers(13, 32));
});

test('a feed loses and doubles nothing when the network is cut repeatedly', async () => {
  const { name, chat } = await newRoom();
  const { client, proxy } = await shakyClient();
  await client.connect();
  await client.joinRoom(name);
  const messages = client.chat(chat.id).messages({ afterSeq: 0 });
  for (let round = 0; round < 5; round += 1) {
    const from = 3 + round * 200;
    proxy.cut();
    await write(chat, 100);
    proxy.restore();
    const reading = take(messages, round === 0 ? 202 : 200);
    await write(chat, 100);
    expect(await reading).toEqual(numbers(round === 0 ? 1 : from, from + 199));
  }
});

test('a slow reader is served from the history, becomes live again, and delays no answers', async () => {
  const { name, chat } = await newRoom();
  const { client, pages } = await shakyClient();
  await client.connect();
  await client.joinRoom(name);
  const messages = client.chat(chat.id).messages({ afterSeq: 2 });
  const heard: Message[] = [];
  client.on('message', (message) => heard.push(message));
  await write(chat, 1);
  expect(await take(messages, 1)).toEqual([3]);
  await eventually(() => expect(heard.at(-1)?.seq).toBe(3));
  await write(chat, 1);
  expect(await take(messages, 1)).toEqual([4]);
  const before = pages();

  // The feed is not read: more messages arrive than it keeps, and the client's own sends are answered nevertheless.
  const mine = client.chat(chat.id);
  await Promise.all([write(chat, 1_500), write(mine, 1_500)]);
  await eventually(() => expect(heard.at(-1)?.seq).toBe(3_004));

  expect(await take(messages, 3_000)).toEqual(numbers(5, 3_004));
  expect(pages()).toBeGreaterThan(before + 5);
  const settled = pages();
  await write(chat, 50);
  expect(await take(messages, 50)).toEqual(numbers(3_005, 3_054));
  await write(chat, 50);
  expect(await take(messages, 50)).toEqual(numbers(3_055, 3_104));
  expect(pages()).toBeLessThanOrEqual(settled + 2);
});

test('if more messages arrive during a page request than a feed keeps, it reads them from the history', async () => {
  const { name, chat } = await newRoom();
  let meanwhile = async () => {};
  const { client } = await shakyClient({ holdPage: () => meanwhile() });
  await client.connect();
  await client.joinRoom(name);
  const heard: Message[] = [];
  client.on('message', (message) => heard.push(message));
  await eventually(() => expect(heard).not.toEqual([]));
  meanwhile = async () => {
    meanwhile = async () => {};
    await write(chat, 1_200);
    await eventually(() => expect(heard.at(-1)?.seq).toBe(1_202));
    await write(chat, 1);
  };
  expect(await take(client.chat(chat.id).messages({ afterSeq: 0 }), 1_203)).toEqual(numbers(1, 1_203));
});

test('a feed ends when its signal aborts, its reader stops, the user leaves the chat, or the client closes', async () => {
  const { name, chat } = await newRoom();
  const { client } = await shakyClient();
  await client.connect();
  await client.joinRoom(name);
  const mine = client.chat(chat.id);
  const ended = { done: true, value: undefined };

  const abort = new AbortController();
  const aborted = mine.messages({ signal: abort.signal });
  const waiting = aborted.next();
  abort.abort();
  expect(await waiting).toEqual(ended);

  await mine.send('one');
  for await (const { seq } of mine.messages({ afterSeq: 0 })) {
    expect(seq).toBe(1);
    break;
  }

  const leaving = mine.messages();
  const closing = client.chat((await client.joinRoom(uniqueName('other'))).id).messages();
  await client.call('leaveChat', { chatId: chat.id });
  for await (const { chatId } of leaving) expect(chatId).toBe(chat.id);

  const last = (async () => {
    for await (const message of closing) expect(message.system).toBeDefined();
  })();
  await client.close();
  await last;
});

test('a feed of a chat that the user may not read throws', async () => {
  const { client } = await shakyClient();
  await client.connect();
  const messages = client.chat(crypto.randomUUID()).messages({ afterSeq: 0 });
  await expect(messages.next()).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
  expect(await messages.next()).toEqual({ done: true, value: undefined });
});
