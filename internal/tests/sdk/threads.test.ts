import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import {
  ChatClient,
  guest,
  type Message,
  type ThreadSummary,
  type Transport,
  webSocketTransport,
  withReply,
} from '../../../pkg/chat-client/index.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { testRandom } from '../../testing/random.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

const ways: Record<string, () => Transport> = {
  gRPC: () => grpcTransport(service.address),
  WebSocket: () => webSocketTransport(service.url),
};

async function newClient(transport: Transport): Promise<ChatClient> {
  const client = new ChatClient({ transport, token: guest(uniqueName('user')) });
  onTestFinished(() => client.close());
  await client.connect();
  return client;
}

test.for(Object.keys(ways))('over %s, clients reply, read threads, and follow them', async (way) => {
  const [client, other] = await Promise.all([newClient(ways[way]!()), newClient(ways[way]!())]);
  const { id: chatId, name } = await client.joinRoom(uniqueName('room'));
  await other.joinRoom(name);
  const heard: Message[] = [];
  client.on('message', (message) => heard.push(message));
  const root = await client.send(chatId, 'root');
  const options = { root: root.messageId, replyTo: root.messageId, type: 'note', silent: true };
  const reply = await other.send(chatId, 'reply', options);
  await other.send(chatId, 'more', { root: root.messageId });

  const expected = {
    rootId: root.messageId,
    replyTo: { messageId: root.messageId, seq: root.seq },
    type: 'note',
    silent: true,
  };
  await eventually(() => expect(heard).toContainEqual(expect.objectContaining(expected)));
  expect(await client.listThread(chatId, reply.messageId, { pageSize: 1 })).toMatchObject({
    root: { id: root.messageId, thread: { replyCount: 2 } },
    messages: [{ text: 'more' }],
    hasMore: true,
    following: true,
  });
  expect(await client.historyPage(chatId, { pageSize: 2 })).toMatchObject({
    referenced: [{ text: 'root' }],
    hasMore: true,
  });
  expect(await client.threads()).toMatchObject([{ root: { id: root.messageId }, unreadCount: 1 }]);
  expect(await client.markThreadRead(chatId, root.messageId, reply.seq + 1)).toMatchObject({ unreadCount: 0 });
  await client.unfollowThread(chatId, root.messageId);
  expect(await client.threads(chatId)).toEqual([]);
  await client.followThread(chatId, root.messageId);
  expect(await client.threads(chatId)).toMatchObject([{ unreadCount: 0 }]);
});

test('a client that keeps a summary from events has what the service answers', async () => {
  const random = testRandom();
  const [client, other] = await Promise.all([newClient(ways.gRPC!()), newClient(ways.WebSocket!())]);
  const { id: chatId, name } = await client.joinRoom(uniqueName('room'));
  await other.joinRoom(name);
  const { messageId: rootId } = await client.send(chatId, 'root');
  const read = async () => (await client.call('getMessage', { chatId, messageId: rootId })).message!.thread;
  const states = new Map<string, Message>();
  let summary: ThreadSummary | undefined;
  let isOutdated = false;
  let lastNumber = 0;
  const hear = (message: Message, number: number) => {
    lastNumber = number;
    if (message.rootId !== rootId) return;
    const next = withReply(summary, message, states.get(message.id));
    states.set(message.id, message);
    if (next === 'outdated') isOutdated = true;
    else summary = next;
  };
  client.on('message', (message) => hear(message, message.seq));
  client.on('messageChanged', (message) => hear(message, message.updateSeq));

  const sent: string[] = [];
  for (let i = 0; i < 60; i += 1) {
    const writer = random.pick([client, other])!;
    const target = sent[random.below(sent.length)];
    const number =
      random.chance(0.3) && target
        ? (await writer.delete(chatId, target, { hide: random.chance(0.5) }).catch(() => undefined))?.seq
        : await writer.send(chatId, `${i}`, { root: rootId }).then(({ messageId, seq }) => {
            sent.push(messageId);
            return seq;
          });
    if (number === undefined) continue;
    await eventually(() => expect(lastNumber).toBeGreaterThanOrEqual(number));
    const answer = await read();
    if (isOutdated) summary = answer;
    isOutdated = false;
    expect(summary).toEqual(answer);
  }
  expect(summary?.replyCount).toBeGreaterThan(0);
});
