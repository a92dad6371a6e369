import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { ChatClient, guest, type Message, type Transport } from '../../../pkg/chat-client/index.ts';
import { flakyClient } from '../../testing/clients/flaky-client.ts';
import { newRoom, say, signIn, uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

test('a client that could not connect for a while gets the chats to which it was added meanwhile, from their beginning', async () => {
  const { client: away, link } = await flakyClient(service.address, 'away');
  const friend = await service.client(uniqueName('friend'));
  const heard: Message[] = [];
  away.on('message', (message) => heard.push(message));
  const me = away.state.kind === 'online' ? away.state.user : expect.unreachable('not online');
  link.refusing = true;
  link.cut();
  await eventually(() => expect(away.state.kind).not.toBe('online'));

  const chat = await friend.openDirect(me.id);
  for (const text of ['one', 'two']) await friend.send(chat.id, text);
  const unsent = away.send(chat.id, 'three');
  link.refusing = false;

  expect(await unsent).toMatchObject({ seq: 4 });
  await eventually(() => expect(heard.map(({ text }) => text)).toEqual(['', 'one', 'two', 'three']));
});

test('a connected client gets every message of a room that it joins, however slow its stream is', async () => {
  const writer = await signIn(service.transport(), 'writer');
  const room = await newRoom(writer);
  const transport = grpcTransport(service.address);
  const slow: Transport = {
    ...transport,
    connect(token, signal) {
      const stream = transport.connect(token, signal);
      return { ...stream, send: (command) => void setTimeout(() => stream.send(command), 200) };
    },
  };
  const client = new ChatClient({ transport: slow, token: guest(uniqueName('slow')) });
  onTestFinished(() => client.close());
  const heard: Message[] = [];
  client.on('message', (message) => message.system || heard.push(message));

  await client.connect();
  await client.joinRoom(room.name);
  await say(writer, room, 'first');
  await say(writer, room, 'second');

  await eventually(() => expect(heard.map(({ text }) => text)).toEqual(['first', 'second']));
});
