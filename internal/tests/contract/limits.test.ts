import { type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ChatType, CloseReason, ConnectChatRequest, ConnectChatResponse } from '../../../pkg/api/chat/v1/chat.ts';
import { errorFromStatus } from '../../../pkg/chat-client/errors/status.ts';
import { newGroup, newRoom, type Person, say, signIn } from '../../testing/clients/person.ts';
import { RawClient } from '../../testing/clients/raw-client.ts';
import { refusedFields } from '../../testing/clients/refused-fields.ts';
import { SocketClient } from '../../testing/clients/socket-client.ts';
import { commands, type EventBody } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({
    MAX_TEXT_LENGTH: '1000',
    MAX_MEMBERS: '5',
    MAX_PAGE_SIZE: '10',
    MAX_FRAME_BYTES: '8192',
    MAX_COMMANDS_PER_FRAME: '20',
    MAX_SUBSCRIPTIONS: '3',
    MAX_PENDING_SENDS: '4',
    MAX_STREAMS_PER_USER: '3',
    ROOMS_CREATE_ON_JOIN: 'false',
  });
});
afterAll(() => service.stop());

function refusal(event: EventBody) {
  return event.$case === 'rejected' ? errorFromStatus(event.value.status!) : expect.unreachable(event.$case);
}

test('welcome contains the limits of a stream', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const { limits } = await (await alice.connect()).nextOf('welcome');
  expect(limits).toEqual({ maxTextLength: 1_000, maxFrameBytes: 8_192, maxCommandsPerFrame: 20, maxSubscriptions: 3 });
});

test('text that is too long is refused, by call and by command', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const stream = await alice.connect();

  expect(await refusedFields(say(alice, group, 'x'.repeat(1_001)))).toEqual(['text']);
  expect(refusal(await stream.ask(commands.send(group.id, 'x'.repeat(1_001))))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    reason: 'INVALID_FIELDS',
    violations: [{ field: 'text', description: 'must have at most 1000 characters' }],
  });
  await expect(say(alice, group, 'x'.repeat(1_000))).resolves.toMatchObject({ seq: 2 });
});

test('a page that is too large is refused by every list', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const { id: chatId } = await newGroup(alice);
  const { chat } = alice;
  for (const pageSize of [11, 1_000, 2 ** 31 - 1]) {
    expect(await refusedFields(chat.listChats({ pageSize }))).toEqual(['page_size']);
    expect(await refusedFields(chat.listRooms({ pageSize }))).toEqual(['page_size']);
    expect(await refusedFields(chat.listMembers({ chatId, pageSize }))).toEqual(['page_size']);
    expect(await refusedFields(chat.listMessages({ chatId, pageSize }))).toEqual(['page_size']);
    expect(await refusedFields(chat.listOnlineUsers({ chatId, pageSize }))).toEqual(['page_size']);
  }
  for (let i = 0; i < 12; i += 1) await say(alice, { id: chatId }, `${i}`);
  expect((await chat.listMessages({ chatId })).messages).toHaveLength(10);
});

test('a chat with the maximum number of members takes no more', async () => {
  const [alice, bob] = await Promise.all([signIn(service.transport(), 'alice'), signIn(service.transport(), 'bob')]);
  const full = { code: 'RESOURCE_EXHAUSTED', reason: 'MEMBER_LIMIT' };
  const group = await newGroup(alice);
  await alice.chat.addMembers({ chatId: group.id, userIds: ['a', 'b', 'c', 'd'] });

  await expect(alice.chat.addMembers({ chatId: group.id, userIds: ['e'] })).rejects.toMatchObject(full);
  await expect(alice.chat.addMembers({ chatId: group.id, userIds: ['a'] })).resolves.toMatchObject({ added: [] });
  await expect(
    alice.chat.createChat({ type: ChatType.GROUP, memberIds: ['a', 'b', 'c', 'd', 'e'] }),
  ).rejects.toMatchObject(full);
  const room = await newRoom(alice);
  await alice.chat.addMembers({ chatId: room.id, userIds: ['a', 'b', 'c', 'd'] });
  await expect(bob.chat.joinRoom({ name: room.name })).rejects.toMatchObject(full);
  expect((await alice.chat.getChat({ chatId: group.id })).chat).toMatchObject({ memberCount: 5, lastSeq: 2 });
});

test('joining does not create a room if that is turned off', async () => {
  const alice = await signIn(service.transport(), 'alice');
  await expect(alice.chat.joinRoom({ name: 'no-such-room' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    reason: 'ROOM_NOT_FOUND',
  });
  await expect(alice.chat.joinRoom({ name: 'global' })).resolves.toMatchObject({ created: false });
});

test('a stream with the maximum number of subscriptions takes no more until it unsubscribes', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const chats = await Promise.all([1, 2, 3, 4].map(() => newGroup(alice)));
  const stream = await alice.connect();
  for (const { id } of chats.slice(0, 3)) await stream.ask(commands.subscribe(id));

  const tooMany = { code: 'RESOURCE_EXHAUSTED', reason: 'SUBSCRIPTION_LIMIT' };
  expect(refusal(await stream.ask(commands.subscribe(chats[3]!.id)))).toMatchObject(tooMany);
  expect(refusal(await stream.ask(commands.subscribeAll()))).toMatchObject(tooMany);
  expect(await stream.ask(commands.subscribe(chats[0]!.id, 0))).toMatchObject({ $case: 'subscribed' });
  await stream.ask(commands.unsubscribe(chats[1]!.id));
  expect(await stream.ask(commands.subscribe(chats[3]!.id))).toMatchObject({ $case: 'subscribed' });
});

test('a user with the maximum number of streams, over all transports, opens no more until one has ended', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const bySocket = () => new SocketClient(service.url, { token: alice.token });
  const streams = [await alice.connect(), await alice.connect()];
  await bySocket().nextOf('welcome');
  const tooMany = { code: 'RESOURCE_EXHAUSTED', reason: 'TOO_MANY_STREAMS' };
  expect(await alice.open().ended).toMatchObject(tooMany);
  expect(await bySocket().closed).toEqual({ code: 4429, reason: 'TOO_MANY_STREAMS' });
  await (await signIn(service.transport(), 'bob')).connect();
  streams[0]!.close();
  await eventually(() => alice.connect());
});

test('the SDK of a user with more chats than MAX_SUBSCRIPTIONS can send', async () => {
  const busy = await signIn(service.transport(), 'busy');
  const chats = await Promise.all([1, 2, 3, 4].map(() => newGroup(busy)));
  const client = await service.client(busy.name);
  await expect(client.send(chats[0]!.id, 'unheard')).resolves.toMatchObject({ seq: 2 });
});

test('a frame with too many commands ends the stream, and none of them is carried out', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const stream = new RawClient(service.address).connect(alice.token);
  const ended = new Promise<ServiceError>((resolve) => stream.on('error', resolve));
  const events: EventBody[] = [];
  stream.on('data', (bytes: Buffer) => {
    for (const { event } of ConnectChatResponse.decode(bytes).events) if (event) events.push(event);
  });
  const sends = (count: number) =>
    ConnectChatRequest.encode({
      commands: Array.from({ length: count }, (_, i) => ({
        commandId: `${i}`,
        command: commands.send(group.id, `${i} of ${count}`),
      })),
    }).finish();

  stream.write(sends(20));
  await eventually(() => expect(events.filter(({ $case }) => $case === 'accepted')).toHaveLength(20));
  stream.write(sends(21));
  const { code, details } = await ended;
  expect({ code, details }).toEqual({ code: status.RESOURCE_EXHAUSTED, details: expect.stringContaining('20') });
  expect(events.at(-1)).toMatchObject({ $case: 'closing', value: { reason: CloseReason.PROTOCOL_ERROR } });
  expect((await alice.chat.getChat({ chatId: group.id })).chat).toMatchObject({ lastSeq: 21 });
});

test('a frame or a request of too many bytes is refused', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const stream = await alice.connect();
  stream.send(commands.send('x', 'x'.repeat(8_192)));
  expect(await stream.ended).toMatchObject({ code: 'RESOURCE_EXHAUSTED', message: expect.stringContaining('8192') });
  await expect(say(alice, { id: 'x' }, 'x'.repeat(8_192))).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
});

test('more sends than may be pending are all answered, a few at a time', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const stream = await alice.connect();
  for (let i = 0; i < 19; i += 1) stream.send(commands.send(group.id, `${i}`));
  await stream.until(() => stream.all('accepted').length === 19);
  expect(stream.all('accepted').map(({ seq }) => seq)).toEqual(Array.from({ length: 19 }, (_, i) => i + 2));
});

test('a frame of events stays below 4 MiB, the default limit of gRPC clients', async () => {
  const wide = await startTestService({ MAX_TEXT_LENGTH: '65536' });
  onTestFinished(() => wide.stop());
  const alice = await signIn(wide.transport(), 'alice');
  const group = await newGroup(alice);
  const live = subscribeRaw(wide.address, alice, group.id, 1);
  await eventually(() => expect(live.caughtUp).toBe(true));

  const streams = await Promise.all([1, 2, 3, 4].map(() => alice.connect()));
  const longest = 'x'.repeat(65_000);
  for (const stream of streams) for (let i = 0; i < 30; i += 1) stream.send(commands.send(group.id, longest));
  await Promise.all(streams.map((stream) => stream.until(() => stream.all('accepted').length === 30)));

  const late = subscribeRaw(wide.address, alice, group.id, 1);
  for (const { seqs, end } of [live, late]) {
    await eventually(() => expect([seqs.length, end()]).toEqual([120, undefined]));
  }
});

/** Subscribes with the default limits of the gRPC library. */
function subscribeRaw(address: string, { token }: Person, chatId: string, afterSeq: number) {
  const call = new RawClient(address, { 'grpc.max_receive_message_length': undefined }).connect(token);
  let end: string | undefined;
  const state = { seqs: [] as number[], caughtUp: false, end: () => end };
  call.on('status', ({ code, details }) => {
    end = `${status[code]}: ${details}`;
  });
  call.on('data', (frame: Buffer) => {
    for (const { event } of ConnectChatResponse.decode(frame).events) {
      if (event?.$case === 'message') state.seqs.push(event.value.seq);
      state.caughtUp ||= event?.$case === 'caughtUp';
    }
  });
  const command = { commandId: '', command: commands.subscribe(chatId, afterSeq) };
  call.write(ConnectChatRequest.encode({ commands: [command] }).finish());
  return state;
}
