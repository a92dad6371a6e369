import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorFromStatus } from '../../../pkg/chat-client/errors/status.ts';
import { newGroup, newRoom, type Person, personOf, signIn } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

/** Returns the same user on a new connection. */
function reconnected(person: Person): Person {
  return personOf(service.transport(), person);
}

test('a message that is repeated over a new connection gets the first id, number and time', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const message = { chatId: group.id, clientMessageId: 'again', text: 'once' };

  const first = await alice.chat.sendMessage(message);
  const byCall = await reconnected(alice).chat.sendMessage(message);
  const stream = await reconnected(alice).connect();
  const byStream = await stream.ask(commands.send(group.id, 'once', 'again'));

  expect(byCall).toEqual(first);
  expect(byStream).toMatchObject({ $case: 'accepted', value: first });
  expect((await alice.chat.getChat({ chatId: group.id })).chat?.lastSeq).toBe(first.seq);
});

test('a client message id that is reused with other content is refused, and nothing changes', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const { messageId } = await alice.chat.sendMessage({ chatId: group.id, clientMessageId: 'mine', text: 'first' });
  const reused = { code: 'ALREADY_EXISTS', reason: 'MESSAGE_ID_REUSED' };

  await expect(
    alice.chat.sendMessage({ chatId: group.id, clientMessageId: 'mine', text: 'second' }),
  ).rejects.toMatchObject(reused);
  const stream = await alice.connect();
  const answer = await stream.ask(commands.send(group.id, 'first ', 'mine'));
  expect(answer.$case === 'rejected' && errorFromStatus(answer.value.status!)).toMatchObject(reused);

  const { messages } = await alice.chat.listMessages({ chatId: group.id });
  expect(messages.map(({ id, text }) => [id, text]).slice(1)).toEqual([[messageId, 'first']]);
});

test('a client message id is separate for each sender and each chat', async () => {
  const [alice, bob] = await Promise.all([signIn(service.transport(), 'alice'), signIn(service.transport(), 'bob')]);
  const [here, there] = [await newRoom(alice, bob), await newRoom(alice, bob)];
  const send = (person: Person, chatId: string, text: string) =>
    person.chat.sendMessage({ chatId, clientMessageId: '1', text });

  const sent = await Promise.all([send(alice, here.id, 'a'), send(bob, here.id, 'b'), send(alice, there.id, 'c')]);

  expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(3);
});

test('a message that is sent many times at once, by calls and on streams, is stored once', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const reader = await alice.connect();
  await reader.ask(commands.subscribe(group.id));
  const connections = Array.from({ length: 6 }, () => reconnected(alice));
  const streams = await Promise.all(connections.map((person) => person.connect()));

  const answers = await Promise.all([
    ...connections.map(({ chat }) => chat.sendMessage({ chatId: group.id, clientMessageId: 'x', text: 'one' })),
    ...streams.flatMap((stream) =>
      [1, 2, 3].map(async () => {
        const answer = await stream.ask(commands.send(group.id, 'one', 'x'));
        return answer.$case === 'accepted' ? answer.value : expect.unreachable(answer.$case);
      }),
    ),
  ]);

  expect(new Set(answers.map(({ messageId, seq }) => `${messageId} ${seq}`)).size).toBe(1);
  await alice.chat.sendMessage({ chatId: group.id, clientMessageId: 'y', text: 'two' });
  await reader.until(() => reader.messages(group.id).some(({ text }) => text === 'two'));
  expect(reader.messages(group.id).map(({ seq, text }) => [seq, text])).toEqual([
    [2, 'one'],
    [3, 'two'],
  ]);
});

test('of two different messages that are sent at once with one id, one is stored and the other refused', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const texts = ['heads', 'tails', 'edge'];

  const results = await Promise.allSettled(
    texts.map((text) => reconnected(alice).chat.sendMessage({ chatId: group.id, clientMessageId: 'coin', text })),
  );

  const stored = results.findIndex(({ status }) => status === 'fulfilled');
  const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason.reason);
  expect(refused).toEqual(['MESSAGE_ID_REUSED', 'MESSAGE_ID_REUSED']);
  const { messages } = await alice.chat.listMessages({ chatId: group.id });
  expect(messages.map(({ text }) => text)).toEqual(['', texts[stored]]);
});

test('a repetition of a removed member’s earlier message is acknowledged, and a new message is refused', async () => {
  const [alice, bob] = await Promise.all([signIn(service.transport(), 'alice'), signIn(service.transport(), 'bob')]);
  const group = await newGroup(alice, bob);
  const message = { chatId: group.id, clientMessageId: 'lost answer', text: 'hello' };
  const sent = await bob.chat.sendMessage({ ...message, clientMessageId: 'lost-answer' });

  await alice.chat.removeMember({ chatId: group.id, userId: bob.id });

  await expect(bob.chat.sendMessage({ ...message, clientMessageId: 'lost-answer' })).resolves.toEqual(sent);
  await expect(bob.chat.sendMessage({ ...message, clientMessageId: 'new' })).rejects.toMatchObject({
    reason: 'CHAT_NOT_FOUND',
  });
});
