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
