import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ChatClient, guest, type Transport, webSocketTransport } from '../../../pkg/chat-client/index.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { openTestStorage, type TestStorage } from '../../testing/services/test-storage.ts';

/** Two nodes of one service. The second has no messages of the first one's chats in memory. */
let nodes: [TestService, TestService];
let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
  const start = () => startTestService({}, { dsn: storage.dsn });
  nodes = [await start(), await start()];
});
afterAll(async () => {
  for (const node of nodes) await node.stop();
  await storage.close();
});

/** Connects a client to the first node and lets it receive all messages of a chat. `whileAway` reconnects it to the second node. */
async function quietChat() {
  const proxy = await startTcpProxy(nodes[0].url);
  const [first, second] = [webSocketTransport(proxy.dsn), webSocketTransport(nodes[1].url)];
  let node = first;
  const transport: Transport = { ...second, connect: (token, signal) => node.connect(token, signal) };
  const client = new ChatClient({ transport, token: guest(uniqueName('reader')) });
  onTestFinished(async () => {
    await client.close();
    first.close();
    await proxy.close();
  });
  const heard: number[] = [];
  client.on('message', ({ updateSeq }) => void heard.push(updateSeq));
  await client.connect();
  const { id: chatId, name } = await client.joinRoom(uniqueName('room'));
  const writer = await nodes[0].client(uniqueName('writer'));
  await writer.joinRoom(name);
  const write = async (text: string) => {
    const { messageId, seq } = await writer.send(chatId, text);
    return { chatId, id: messageId, seq };
  };
  const old = await write('old');
  await eventually(() => expect(heard.at(-1)).toBe(old.seq));
  return {
    client,
    chat: client.chat(chatId),
    old,
    write,
    async whileAway(change: () => Promise<void>) {
      proxy.cut();
      await eventually(() => expect(client.state.kind).toBe('offline'));
      await change();
      node = second;
      await eventually(() => expect(heard.at(-1)).toBeGreaterThan(old.seq));
    },
  };
}

test('a feed that waited returns a message that was written and edited while the client was offline', async () => {
  const { chat, old, write, whileAway } = await quietChat();
  const feeds = [chat.messages({ afterSeq: old.seq }), chat.messages()];
  const firsts = feeds.map((feed) => feed.next());
  await whileAway(async () => {
    await storage.edit(await write('second'), 'edited');
  });
  await write('third');
  for (const [place, feed] of feeds.entries()) {
    expect((await firsts[place])?.value?.text).toBe('edited');
    expect((await feed.next()).value?.text).toBe('third');
  }
});

test('a feed of new messages does not return an old message that was edited', async () => {
  const { chat, old, write, whileAway } = await quietChat();
  const next = chat.messages().next();
  await whileAway(async () => {
    await storage.edit(old, 'old, edited');
    await storage.edit(await write('second'), 'new');
  });
  expect((await next).value?.text).toBe('new');
});

test('a message that was changed while the client was offline comes once, in its newest state; a known one as changed', async () => {
  const { client, old, write, whileAway } = await quietChat();
  const heard: [string, string][] = [];
  client.on('message', ({ text }) => heard.push(['message', text]));
  client.on('messageChanged', ({ text, deletedAt }) => heard.push(['changed', deletedAt ? 'deleted' : text]));
  await whileAway(async () => {
    await storage.edit(old, 'old, edited');
    await storage.edit(await write('second'), 'second, edited');
    await storage.delete(await write('third'));
  });
  await write('last');
  await eventually(() => expect(heard.at(-1)).toEqual(['message', 'last']));
  expect(heard).toEqual([
    ['changed', 'old, edited'],
    ['message', 'second, edited'],
    ['message', ''],
    ['message', 'last'],
  ]);
});

/** Connects a client whose pages of the history can be held back after the service has read them. */
async function pausedReader() {
  const real = webSocketTransport(nodes[0].url);
  let pageRead = async () => {};
  const listMessages: Transport['chat']['listMessages'] = async (...args) => {
    const page = await real.chat.listMessages(...args);
    await pageRead();
    return page;
  };
  const client = new ChatClient({
    transport: { ...real, chat: { ...real.chat, listMessages } },
    token: guest(uniqueName('reader')),
  });
  onTestFinished(() => client.close());
  const heard: string[] = [];
  client.on('message', ({ text }) => heard.push(text));
  client.on('messageChanged', ({ text }) => heard.push(text));
  await client.connect();
  const { id: chatId, name } = await client.joinRoom(uniqueName('room'));
  await eventually(() => expect(heard).toEqual(['']));
  const writer = await nodes[0].client(uniqueName('writer'));
  await writer.joinRoom(name);
  return {
    chat: client.chat(chatId),
    writer: writer.chat(chatId),
    hasHeard: (text: string) => eventually(() => expect(heard).toContain(text)),
    /** Calls `then` between the moment at which the service reads the next page and its answer. */
    onNextPage(then: () => Promise<void>) {
      pageRead = () => {
        pageRead = async () => {};
        return then();
      };
    },
  };
}

async function texts(feed: AsyncIterable<{ text: string; system?: unknown }>, last: string): Promise<string[]> {
  const read: string[] = [];
  for await (const { text, system } of feed) {
    if (!system) read.push(text);
    if (text === last) break;
  }
  return read;
}

test('a feed returns live messages that waited for its reader in their newest state, and changes no returned ones', async () => {
  const { chat, writer, hasHeard } = await pausedReader();
  const feed = chat.messages();
  const read = async () => (await feed.next()).value;
  const one = await writer.send('one');
  let first = await read();
  while (first?.system) first = await read();
  expect(first?.text).toBe('one');

  const two = await writer.send('two');
  await writer.delete((await writer.send('three')).messageId, { hide: true });
  await writer.edit(two.messageId, 'two, edited');
  await writer.edit(two.messageId, 'two, edited twice');
  const { messageId: four } = await writer.send('four');
  await writer.edit(one.messageId, 'one, edited');
  await writer.delete(four, { reason: 'spam' });
  await writer.send('five');
  await hasHeard('five');

  expect([await read(), await read(), await read()]).toMatchObject([
    { text: 'two, edited twice', seq: two.seq },
    { text: '', deletedAt: expect.any(Date) },
    { text: 'five' },
  ]);
});

test('a feed returns messages of a page that were changed after the page was read in their newest state', async () => {
  const { chat, writer, hasHeard, onNextPage } = await pausedReader();
  const [one, two] = [await writer.send('one'), await writer.send('two')];
  onNextPage(async () => {
    await writer.edit(one.messageId, 'one, edited');
    await writer.delete(two.messageId, { hide: true });
    await writer.send('three');
    await hasHeard('three');
  });
  expect(await texts(chat.messages({ afterSeq: 0 }), 'three')).toEqual(['one, edited', 'three']);
});
