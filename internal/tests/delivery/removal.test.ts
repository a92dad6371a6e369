import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConnectChatRequest, ConnectChatResponse, RemovalReason } from '../../../pkg/api/chat/v1/chat.ts';
import { newGroup, newRoom, type Person, say, signIn } from '../../testing/clients/person.ts';
import { RawClient } from '../../testing/clients/raw-client.ts';
import { commands, type EventBody, type StreamProbe } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ OUTBOX_BYTES: '16384', REPAIR_INTERVAL_MS: '600000' });
});
afterAll(() => service.stop());

function people(...names: string[]): Promise<Person[]> {
  return Promise.all(names.map((name) => signIn(service.transport(), name)));
}

/** Sends messages without a pause until the returned function is called. */
function writeOn(writer: Person, chat: { id: string }): () => Promise<void> {
  let writing = true;
  const written = (async () => {
    for (let i = 0; writing; i += 1) await say(writer, chat, `${i}`);
  })();
  written.catch(() => {}); // the returned function throws it
  return () => {
    writing = false;
    return written;
  };
}

/** Expects that the chat ended on the stream for the reason, and that no event of it followed. */
function expectEnded(stream: StreamProbe, chatId: string, reason: RemovalReason): void {
  const ofChat = stream.events.filter(({ $case, value }) =>
    $case === 'chatAdded' ? value.chat?.id === chatId : 'chatId' in value && value.chatId === chatId,
  );
  expect(ofChat.filter(({ $case }) => $case === 'chatRemoved')).toHaveLength(1);
  expect(ofChat.at(-1)).toEqual({ $case: 'chatRemoved', value: { chatId, reason } });
}

test('a removed member gets chat_removed at once, without waiting for a repair, and no later event of the chat', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const group = await newGroup(alice!, bob!);
  const [all, one, catching] = await Promise.all([bob!.connect(), bob!.connect(), bob!.connect()]);
  await all.ask(commands.subscribeAll());
  await one.ask(commands.subscribe(group.id));
  const stop = writeOn(alice!, group);
  await one.until(() => one.messages(group.id).length > 50);
  await catching.ask(commands.subscribe(group.id, 0));

  await alice!.chat.removeMember({ chatId: group.id, userId: bob!.id });

  await Promise.all([all, one, catching].map((stream) => stream.nextOf('chatRemoved')));
  const { seq } = await say(alice!, group, 'behind his back');
  await stop();
  expect((await alice!.chat.getChat({ chatId: group.id })).chat?.lastSeq).toBeGreaterThanOrEqual(seq);
  for (const stream of [all, one, catching]) {
    expect(await stream.ask(commands.ping())).toMatchObject({ $case: 'pong' });
    expectEnded(stream, group.id, RemovalReason.REMOVED);
    const seqs = stream.messages(group.id).map((message) => message.seq);
    expect(seqs).toEqual(seqs.map((_, i) => seqs[0]! + i));
  }
  expect(await one.ask(commands.subscribe(group.id, 0))).toMatchObject({ $case: 'rejected' });
});

test('a user who leaves on one device gets chat_removed on the others', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const [group, room] = [await newGroup(alice!, bob!), await newRoom(alice!, bob!)];
  const stream = await bob!.connect();
  await stream.ask(commands.subscribeAll());

  for (const { id: chatId } of [group, room]) await bob!.chat.leaveChat({ chatId });

  await stream.until(() => stream.all('chatRemoved').length === 2);
  await say(alice!, group, 'bye');
  await say(alice!, room, 'bye');
  await stream.ask(commands.ping());
  for (const { id } of [group, room]) expectEnded(stream, id, RemovalReason.LEFT);
});

test('all readers of a deleted chat get chat_removed, even while messages are being written', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const group = await newGroup(alice!, bob!);
  const streams = await Promise.all([alice!.connect(), bob!.connect()]);
  await streams[0]!.ask(commands.subscribe(group.id));
  await streams[1]!.ask(commands.subscribeAll());
  const stop = writeOn(bob!, group);
  await streams[0]!.until(() => streams[0]!.messages(group.id).length > 20);

  await alice!.chat.deleteChat({ chatId: group.id });

  await expect(stop()).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
  for (const stream of streams) {
    await stream.nextOf('chatRemoved');
    await stream.ask(commands.ping());
    expectEnded(stream, group.id, RemovalReason.DELETED);
  }
});

test('a member who is added again gets everything since the removal', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const group = await newGroup(alice!, bob!);
  const stream = await bob!.connect();
  await stream.ask(commands.subscribeAll());

  await alice!.chat.removeMember({ chatId: group.id, userId: bob!.id });
  await stream.nextOf('chatRemoved');
  await say(alice!, group, 'behind his back');
  await alice!.chat.addMembers({ chatId: group.id, userIds: [bob!.id] });
  await say(alice!, group, 'welcome back');

  await stream.until(() => stream.messages(group.id).some(({ text }) => text === 'welcome back'));
  const afterwards = stream.events.slice(stream.events.findIndex(({ $case }) => $case === 'chatAdded'));
  const inOrder = afterwards.map(summary).filter((text) => text !== 'caughtUp');
  expect(inOrder).toEqual(['chatAdded', 'subscribed', 'message 2', 'message 3', 'message 4', 'message 5']);
});

test('a member who is removed and added repeatedly misses no message', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const group = await newGroup(alice!, bob!);
  const stream = await bob!.connect();
  await stream.ask(commands.subscribeAll());
  const stop = writeOn(alice!, group);

  for (let i = 0; i < 20; i += 1) {
    await alice!.chat.removeMember({ chatId: group.id, userId: bob!.id });
    await alice!.chat.addMembers({ chatId: group.id, userIds: [bob!.id] });
  }
  await stop();
  const { seq } = await say(alice!, group, 'the last one');

  await eventually(() => expect(stream.messages(group.id).at(-1)?.seq).toBe(seq));
  const seqs = stream.messages(group.id).map((message) => message.seq);
  expect(seqs).toEqual(seqs.map((_, i) => seqs[0]! + i));
});

test('a removed reader that is slow gets what was queued before the removal, and nothing after it', async () => {
  const [alice, bob] = await people('alice', 'bob');
  const group = await newGroup(alice!, bob!);
  const call = new RawClient(service.address).connect(bob!.token);
  const events: EventBody[] = [];
  const command = { commandId: '', command: commands.subscribe(group.id, 0) };
  call.on('data', (frame: Buffer) => {
    for (const { event } of ConnectChatResponse.decode(frame).events) if (event) events.push(event);
  });
  call.pause();
  call.write(ConnectChatRequest.encode({ commands: [command] }).finish());
  // The client does not read yet: the connection's buffers fill first, then events are queued.
  let sent = 0;
  for (let held = 0; held < 10; held = service.app.sessions.queuedBytes > 0 ? held + 1 : 0) {
    await Promise.all(Array.from({ length: 20 }, () => say(alice!, group, 'x'.repeat(4_000))));
    sent += 20;
  }

  await alice!.chat.removeMember({ chatId: group.id, userId: bob!.id });
  await say(alice!, group, 'behind his back');
  call.resume();

  await eventually(() => expect(events.at(-1)?.$case).toBe('chatRemoved'));
  const seqs = events.flatMap(({ $case, value }) => ($case === 'message' ? [value.seq] : []));
  expect(seqs).toEqual(seqs.map((_, i) => i + 1));
  expect(seqs.length).toBeLessThanOrEqual(sent + 1);
  call.cancel();
});

function summary({ $case, value }: EventBody): string {
  return $case === 'message' ? `message ${value.seq}` : $case;
}
