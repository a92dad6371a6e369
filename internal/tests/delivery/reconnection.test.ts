import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { ChatClient, guest, type Message, type Transport } from '../../../pkg/chat-client/index.ts';
import { newRoom, say, signIn, uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { FlakyLink } from '../../testing/faults/flaky-link.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

const messagesEach = 400;

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

/** Connects a client through a FlakyLink of its own. */
async function flakyClient(name: string): Promise<{ client: ChatClient; link: FlakyLink }> {
  const link = await FlakyLink.to(service.address);
  const transport = grpcTransport(link.address, { channelOptions: { 'grpc.use_local_subchannel_pool': 1 } });
  const client = new ChatClient({ transport, token: guest(uniqueName(name)) });
  onTestFinished(async () => {
    await client.close();
    await link.close();
  });
  await client.connect();
  return { client, link };
}

test('clients whose connections break repeatedly get every message once and in order, and one acknowledgement for every send', async () => {
  const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map(flakyClient));
  const clients = [alice!, bob!, carol!];
  const name = uniqueName('shaky');
  const room = await alice!.client.joinRoom(name);
  for (const { client } of clients.slice(1)) await client.joinRoom(name);
  const heard = clients.map(({ client }) => {
    const messages: Message[] = [];
    client.on('message', (message) => message.chatId === room.id && messages.push(message));
    return messages;
  });

  let acknowledged = 0;
  const sending = clients.map(async ({ client }, writer) => {
    const receipts = [];
    for (let i = 0; i < messagesEach; i += 1) {
      receipts.push(client.send(room.id, `${writer}:${i}`).finally(() => (acknowledged += 1)));
      if (i % 10 === 9) await receipts.at(-10);
    }
    return Promise.all(receipts);
  });
  let finished = false;
  const cutting = (async () => {
    for (let round = 0; !finished; round += 1) {
      const before = acknowledged;
      clients[round % clients.length]!.link.cut();
      // Progress between two cuts.
      await eventually(() => expect(finished || acknowledged > before + 20).toBe(true));
    }
  })();
  const receipts = await Promise.all(sending);
  finished = true;
  await cutting;

  const total = clients.length * messagesEach;
  const seqs = receipts.flat().map(({ seq }) => seq);
  expect(new Set(seqs).size).toBe(total);
  expect(Math.max(...seqs) - Math.min(...seqs)).toBe(total - 1);
  for (const sent of receipts)
    expect(sent.map(({ seq }) => seq)).toEqual(sent.map(({ seq }) => seq).sort((a, b) => a - b));
  await eventually(() => {
    for (const messages of heard) expect(messages.at(-1)?.seq).toBe(Math.max(...seqs));
  });
  for (const messages of heard) {
    const own = messages.filter(({ system }) => !system).map(({ seq }) => seq);
    expect(own).toEqual([...seqs].sort((a, b) => a - b));
  }
  for (const { client, link } of clients) {
    expect(link.cuts).toBeGreaterThan(3);
    expect(client.pendingSends).toBe(0);
  }
});

test('a client that could not connect for a while gets the chats to which it was added meanwhile, from their beginning', async () => {
  const { client: away, link } = await flakyClient('away');
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
