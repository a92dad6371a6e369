import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import {
  ChatClient,
  type ChatClientEvents,
  guest,
  type Message,
  type Transport,
  webSocketTransport,
  withReaction,
} from '../../../pkg/chat-client/index.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

const ways: Record<string, () => Transport> = {
  gRPC: () => grpcTransport(service.address),
  WebSocket: () => webSocketTransport(service.url),
  'WebSocket with JSON': () => webSocketTransport(service.url, { encoding: 'json' }),
};

async function newClient(transport = webSocketTransport(service.url)): Promise<ChatClient> {
  const client = new ChatClient({ transport, token: guest(uniqueName('user')) });
  onTestFinished(() => client.close());
  await client.connect();
  return client;
}

test.for(Object.keys(ways))('over %s, reactions are added and taken back, and a reader adds them up', async (way) => {
  const client = await newClient(ways[way]!());
  const reader = await newClient(ways[way]!());
  const user = await reader.connect();
  const { id: chatId, name } = await client.joinRoom(uniqueName('room'));
  await reader.joinRoom(name);
  let seen: Message | undefined;
  reader.on('message', (message) => {
    if (message.text === 'hello') seen = message;
  });
  reader.on('reaction', (change) => {
    seen = seen && withReaction(seen, change, user.id);
  });
  const sent: ChatClientEvents['changeSent'][] = [];
  client.on('changeSent', (change) => sent.push(change));
  const { messageId, seq } = await client.send(chatId, 'hello');

  expect(await client.react(chatId, messageId, '👍')).toEqual({ messageId, seq: seq + 1, createdAt: expect.any(Date) });
  expect(await client.react(chatId, messageId, '👍')).toMatchObject({ seq: 0 });
  await reader.chat(chatId).react(messageId, '👍');
  await client.chat(chatId).unreact(messageId, '👍');
  await reader.react(chatId, messageId, '🎉');

  const { message } = await reader.call('getMessage', { chatId, messageId });
  const reactions = [
    { emoji: '👍', count: 1, own: true, seq: seq + 3 },
    { emoji: '🎉', count: 1, own: true, seq: seq + 4 },
  ];
  expect(message!.reactions).toEqual(reactions);
  await eventually(() => expect(seen?.reactions).toEqual(reactions));
  expect((await client.reactions(chatId, messageId)).map((one) => [one.emoji, one.user?.id])).toEqual([
    ['👍', user.id],
    ['🎉', user.id],
  ]);
  expect(sent.map(({ kind }) => kind)).toEqual(['react', 'react', 'unreact']);
});

test('reactions asked for while offline are sent in their order when the client is connected', async () => {
  const writer = await newClient();
  const { id: chatId, name } = await writer.joinRoom(uniqueName('room'));
  const { messageId } = await writer.send(chatId, 'hello');
  const client = new ChatClient({ transport: webSocketTransport(service.url), token: guest(uniqueName('user')) });
  onTestFinished(() => client.close());
  await client.joinRoom(name);
  const all = [
    client.react(chatId, messageId, '👍'),
    client.unreact(chatId, messageId, '👍'),
    client.react(chatId, messageId, '🎉'),
  ];
  expect(client.pendingChanges.map(({ kind }) => kind)).toEqual(['react', 'unreact', 'react']);
  await client.connect();
  const receipts = await Promise.all(all);
  expect(receipts.map(({ seq }) => seq)).toEqual([0, 1, 2].map((i) => receipts[0]!.seq + i));
  const { message } = await client.call('getMessage', { chatId, messageId });
  expect(message!.reactions).toMatchObject([{ emoji: '🎉', count: 1, own: true }]);
});

test('a refused reaction is told, and does not come back', async () => {
  const client = await newClient();
  const { id: chatId } = await client.joinRoom(uniqueName('room'));
  const { messageId } = await client.send(chatId, 'hello');
  const refused: ChatClientEvents['changeRefused'][] = [];
  client.on('changeRefused', (change) => refused.push(change));
  await expect(client.react(chatId, messageId, 'no')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(refused).toMatchObject([{ kind: 'react', emoji: 'no', error: { reason: 'INVALID_FIELDS' } }]);
  expect(client.pendingChanges).toEqual([]);
});
