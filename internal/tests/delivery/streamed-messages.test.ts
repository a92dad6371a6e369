import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { FinishOutcome, MessageStreaming } from '../../../pkg/api/chat/v1/chat.ts';
import { compose, isGapless } from '../../testing/clients/composed.ts';
import { newGroup, type Person, signIn } from '../../testing/clients/person.ts';
import { commands, type StreamProbe } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

/** With the rates of a fresh installation. */
let service: TestService;
/** Two nodes that both look for senders that have vanished. */
let impatient: [TestService, TestService];
beforeAll(async () => {
  service = await startTestService({ RATE_LIMIT_MESSAGES: '100', RATE_LIMIT_CALLS: '100' });
  const dsn = await createTestDatabase();
  const start = () => startTestService({ BUS_URL: 'postgres:', STREAM_TIMEOUT_SECONDS: '1' }, { dsn });
  impatient = [await start(), await start()];
});
afterAll(async () => {
  await Promise.all([service, ...impatient].map((node) => node.stop()));
});

async function reading(person: Person, chatId: string): Promise<StreamProbe> {
  const stream = await person.connect();
  onTestFinished(() => stream.close());
  await stream.ask(commands.subscribe(chatId));
  await stream.nextOf('caughtUp');
  return stream;
}

async function scene(...nodes: TestService[]) {
  const [alice, bob] = [await signIn(nodes[0]!.transport(), 'alice'), await signIn(nodes.at(-1)!.transport(), 'bob')];
  const { id: chatId } = await newGroup(alice, bob);
  const reader = await reading(bob, chatId);
  const { messageId } = await alice.chat.startMessage({ chatId, clientMessageId: randomUUID(), text: 'half' });
  return { alice, bob, chatId, ids: { chatId, messageId }, reader };
}

test('150 parts in a second are neither refused nor delivered one by one', async () => {
  const { alice, chatId, ids, reader } = await scene(service);
  const sender = await alice.connect();
  onTestFinished(() => sender.close());
  // Faster than any model: all at once.
  const answers = await Promise.all(
    Array.from({ length: 150 }, (_, i) =>
      sender.ask({ $case: 'appendMessage', value: { ...ids, part: i + 1, text: `${i} ` } }),
    ),
  );
  expect(answers.filter(({ $case }) => $case === 'rejected')).toEqual([]);
  const { seq } = await alice.chat.finishMessage({ ...ids, outcome: FinishOutcome.COMPLETE });
  await reader.until(() => compose(reader.events, chatId).numbers.at(-1)?.[1] === seq);
  const { messages, numbers } = compose(reader.events, chatId);
  expect(isGapless(numbers, 1, seq)).toBe(true);
  expect(messages.get(ids.messageId)?.text).toBe(`half${Array.from({ length: 150 }, (_, i) => `${i} `).join('')}`);
  // As many changes as there are parts would mean that each waited for its own 40 ms.
  expect(reader.all('messagePart').length).toBeLessThan(100);
});

test('a message whose sender has vanished is cancelled once, and takes no further part', async () => {
  const { alice, ids, reader } = await scene(...impatient);
  const { message } = await reader.nextOf('messageChanged');
  expect(message).toMatchObject({ id: ids.messageId, text: 'half', streaming: MessageStreaming.CANCELLED });
  await expect(alice.chat.appendMessage({ ...ids, part: 1, text: '!' })).rejects.toMatchObject({
    reason: 'NOT_STREAMING',
  });
  const late = alice.chat.finishMessage({ ...ids, outcome: FinishOutcome.COMPLETE });
  await expect(late).rejects.toMatchObject({ reason: 'NOT_STREAMING' });
  const again = await alice.chat.finishMessage({ ...ids, outcome: FinishOutcome.CANCELLED });
  expect(again.seq).toBe(message?.updateSeq);
  expect(reader.all('messageChanged')).toHaveLength(1);
  const { chat } = await alice.chat.getChat({ chatId: ids.chatId });
  expect(chat?.lastSeq).toBe(message?.updateSeq);
});

test('a message that is deleted while it grows is never cancelled afterwards', async () => {
  const { alice, ids } = await scene(...impatient);
  const { seq } = await alice.chat.deleteMessage({ ...ids, clientChangeId: '', hide: false, reason: '' });
  const other = await alice.chat.startMessage({ chatId: ids.chatId, clientMessageId: 'later', text: '' });
  // The other one, which began later, has been cancelled: so the first one would have been.
  await eventually(async () => {
    const { message } = await alice.chat.getMessage({ chatId: ids.chatId, messageId: other.messageId });
    expect(message?.streaming).toBe(MessageStreaming.CANCELLED);
  });
  const { message } = await alice.chat.getMessage(ids);
  expect(message).toMatchObject({ updateSeq: seq, text: '', streaming: MessageStreaming.UNSPECIFIED });
});
