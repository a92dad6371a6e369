import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import {
  ChatClient,
  type ChatClientEvents,
  guest,
  type Transport,
  webSocketTransport,
} from '../../../pkg/chat-client/index.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ EDIT_HISTORY: 'true' });
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

test.for(Object.keys(ways))('over %s, a message is edited and deleted, and others are told', async (way) => {
  const client = await newClient(ways[way]!());
  const reader = await newClient(ways[way]!());
  const { id: chatId, name } = await client.joinRoom(uniqueName('room'));
  await reader.joinRoom(name);
  const heard: { text: string; updateSeq: number; deleted: boolean }[] = [];
  reader.on('messageChanged', ({ text, updateSeq, deletedAt }) => {
    heard.push({ text, updateSeq, deleted: deletedAt !== undefined });
  });
  const sent: ChatClientEvents['changeSent'][] = [];
  client.on('changeSent', (change) => sent.push(change));
  const { messageId, seq } = await client.send(chatId, 'first');

  const edit = await client.edit(chatId, messageId, 'second', { ifVersion: seq });
  expect(edit).toEqual({ messageId, seq: seq + 1, createdAt: expect.any(Date) });
  await client.chat(chatId).edit(messageId, 'third');
  expect((await client.versions(chatId, messageId)).map(({ text, version }) => [text, version])).toEqual([
    ['first', seq],
    ['second', seq + 1],
  ]);
  const deletion = await client.chat(chatId).delete(messageId, { clientChangeId: 'gone' });
  expect(deletion).toMatchObject({ messageId, seq: seq + 3 });

  await eventually(() => {
    expect(heard).toEqual([
      { text: 'second', updateSeq: seq + 1, deleted: false },
      { text: 'third', updateSeq: seq + 2, deleted: false },
      { text: '', updateSeq: seq + 3, deleted: true },
    ]);
  });
  expect(sent).toMatchObject([
    { kind: 'edit', chatId, messageId, text: 'second', seq: seq + 1, ifVersion: seq },
    { kind: 'edit', text: 'third' },
    { kind: 'delete', clientChangeId: 'gone', hide: false, seq: seq + 3 },
  ]);
});

test('a refused change rejects with the reason', async () => {
  const client = await newClient();
  const other = await newClient();
  const { id: chatId, name } = await client.joinRoom(uniqueName('room'));
  await other.joinRoom(name);
  const { messageId, seq } = await client.send(chatId, 'mine');
  const refused: ChatClientEvents['changeRefused'][] = [];
  other.on('changeRefused', (change) => refused.push(change));

  await expect(other.edit(chatId, messageId, 'theirs')).rejects.toMatchObject({ reason: 'NOT_THE_SENDER' });
  await client.edit(chatId, messageId, 'edited');
  await expect(client.delete(chatId, messageId, { ifVersion: seq })).rejects.toMatchObject({
    name: 'ChatClientError',
    code: 'ABORTED',
    reason: 'VERSION_CONFLICT',
  });
  await expect(client.edit(chatId, messageId, 'x'.repeat(5_000))).rejects.toMatchObject({
    reason: 'INVALID_FIELDS',
    violations: [{ field: 'text' }],
  });
  expect(refused).toMatchObject([{ messageId, text: 'theirs', error: { reason: 'NOT_THE_SENDER' } }]);
  await client.close();
  await expect(client.edit(chatId, messageId, 'too late')).rejects.toMatchObject({ code: 'CANCELLED' });
});
