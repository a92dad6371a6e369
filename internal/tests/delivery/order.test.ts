import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Chat, Message } from '../../../pkg/api/chat/v1/chat.ts';
import { newRoom, type Person, signIn } from '../../testing/clients/person.ts';
import { commands, type StreamProbe } from '../../testing/clients/stream-probe.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

const writers = 50;
const messagesEach = 40;

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

test('messages of many concurrent writers are numbered without gaps, the same for all readers', async () => {
  const [owner, ...people] = await signInAll(writers + 1);
  const room = await newRoom(owner!, ...people);
  const begin = writers + 1; // what the service recorded of the room and its members
  const readers = await Promise.all(people.slice(0, 5).map((person) => person.connect()));
  for (const reader of readers) await reader.ask(commands.subscribe(room.id));

  // Half of them send on streams, half by unary calls.
  const sent = await Promise.all(people.map((person, i) => (i % 2 ? sendByStream : sendByCalls)(person, room, i)));

  const total = writers * messagesEach;
  const bySeq = new Map(sent.flat().map((message) => [message.seq, message]));
  expect([...bySeq.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, i) => begin + 1 + i));
  for (const messages of sent)
    expect(messages.map(({ seq }) => seq)).toEqual(messages.map(({ seq }) => seq).sort((a, b) => a - b));

  const history = await readHistory(owner!, room, begin);
  expect(history.map(({ seq, id, text }) => ({ seq, id, text }))).toEqual(
    [...bySeq.values()].sort((a, b) => a.seq - b.seq),
  );
  for (const reader of readers) {
    await reader.until(() => reader.messages(room.id).length >= total);
    expect(reader.messages(room.id)).toEqual(history);
  }
});

interface Sent {
  seq: number;
  id: string;
  text: string;
}

function signInAll(count: number): Promise<Person[]> {
  return Promise.all(Array.from({ length: count }, () => signIn(service.transport(), 'writer')));
}

/** Sends messages one after the other, each when the one before is acknowledged. */
async function sendByCalls(person: Person, { id: chatId }: Chat, writer: number): Promise<Sent[]> {
  const sent: Sent[] = [];
  for (let i = 0; i < messagesEach; i += 1) {
    const text = `${writer}:${i}`;
    const { seq, messageId: id } = await person.chat.sendMessage({ chatId, text, clientMessageId: String(i) });
    sent.push({ seq, id, text });
  }
  return sent;
}

/** Sends all messages without waiting. The service keeps their order. */
async function sendByStream(person: Person, { id: chatId }: Chat, writer: number): Promise<Sent[]> {
  const stream: StreamProbe = await person.connect();
  const texts = Array.from({ length: messagesEach }, (_, i) => `${writer}:${i}`);
  for (const text of texts) stream.send(commands.send(chatId, text, text), text);
  await stream.until(() => stream.all('accepted').length === messagesEach);
  const receipts = new Map(stream.all('accepted').map((receipt) => [receipt.commandId, receipt]));
  stream.close();
  return texts.map((text) => ({ seq: receipts.get(text)!.seq, id: receipts.get(text)!.messageId, text }));
}

async function readHistory(person: Person, { id: chatId }: Chat, afterSeq: number): Promise<Message[]> {
  const { messages, hasMore } = await person.chat.listMessages({ chatId, afterSeq, pageSize: 200 });
  return hasMore
    ? [...messages, ...(await readHistory(person, { id: chatId } as Chat, messages.at(-1)!.seq))]
    : messages;
}
