import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { ChatClient, guest, type Transport, webSocketTransport } from '../../../pkg/chat-client/index.ts';
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
};

async function newClient(transport: Transport): Promise<ChatClient> {
  const client = new ChatClient({ transport, token: guest(uniqueName('user')) });
  onTestFinished(() => client.close());
  await client.connect();
  return client;
}

test.for(Object.keys(ways))('over %s, a chat is updated, and its readers get the new values', async (way) => {
  const [client, reader] = await Promise.all([newClient(ways[way]!()), newClient(ways[way]!())]);
  const { id: chatId, name } = await client.joinRoom(uniqueName('room'));
  await reader.joinRoom(name);
  const heard: unknown[] = [];
  reader.on('message', ({ seq, system }) => heard.push([seq, system?.event?.$case, system?.event?.value]));

  const fields = { description: 'All about tea', data: { colour: 'green' } };
  expect(await client.updateChat(chatId, fields)).toMatchObject({ seq: 3, createdAt: expect.any(Date) });
  expect(await client.updateChat(chatId, fields)).toMatchObject({ seq: 0 });
  await eventually(() => expect(heard).toContainEqual([3, 'chatUpdated', { name: undefined, ...fields }]));
  expect((await reader.call('getChat', { chatId })).chat).toMatchObject(fields);
  await expect(reader.updateChat(chatId, { name: 'mine' })).rejects.toMatchObject({ reason: 'ROLE_TOO_LOW' });
});
