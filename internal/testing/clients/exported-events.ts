import { DeliverPolicy, jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { expect } from 'vitest';
import { eventually } from '../eventually.ts';

export interface StoredEvent {
  subject: string;
  /** The kind of the event. */
  event: string;
  /** The message id. */
  id: string;
  contentType: string;
  /** The number of the change; NaN for `chat_deleted`. */
  seq: number;
  body: Uint8Array;
}

/** Reads all events in a JetStream stream, in its order. */
export async function readExported(url: string, stream = 'CHAT_EVENTS'): Promise<StoredEvent[]> {
  let connection: NatsConnection | undefined;
  try {
    connection = await connect({ servers: new URL(url).host, timeout: 2_000, reconnect: false });
    const consumer = await jetstream(connection).consumers.get(stream, { deliver_policy: DeliverPolicy.All });
    const { num_pending: count } = await consumer.info();
    const events: StoredEvent[] = [];
    if (count === 0) return events;
    for await (const message of await consumer.fetch({ max_messages: count, expires: 5_000 })) {
      events.push({
        subject: message.subject,
        event: message.headers?.get('event') ?? '',
        contentType: message.headers?.get('content-type') ?? '',
        id: message.headers?.get('Nats-Msg-Id') ?? '',
        seq: Number(message.headers?.get('Nats-Msg-Id').split(':')[1]),
        body: message.data,
      });
      if (events.length === count) break;
    }
    return events;
  } finally {
    await connection?.close();
  }
}

/** The events of one chat. */
export function eventsOf(events: readonly StoredEvent[], chat: { id: string }): StoredEvent[] {
  return events.filter(({ subject }) => subject === `chat.events.${chat.id}`);
}

/** Waits until the stream has the changes 1 to `count` of each chat, in order, and no others. */
export async function expectExported(url: string, chats: readonly { id: string }[], count: number): Promise<void> {
  const upTo = Array.from({ length: count }, (_, index) => index + 1);
  await eventually(async () => {
    const events = await readExported(url);
    for (const chat of chats) expect(eventsOf(events, chat).map(({ seq }) => seq)).toEqual(upTo);
  });
}

/** What a consumer has of each chat that follows the rules of docs/consuming-events.md: the newest texts of messages by their numbers. */
export async function consume(url: string): Promise<Record<string, Record<number, string>>> {
  const chats = new Map<string, { last: number; texts: Map<number, string> }>();
  for (const { subject, event, seq: number, body } of await readExported(url)) {
    const chatId = subject.split('.').at(-1)!;
    if (event === 'chat_deleted') {
      chats.delete(chatId);
      continue;
    }
    const chat = chats.get(chatId) ?? { last: 0, texts: new Map<number, string>() };
    chats.set(chatId, chat);
    if (event === 'reset') {
      chat.last = Math.min(chat.last, number);
      for (const seq of chat.texts.keys()) if (seq > number) chat.texts.delete(seq);
    } else if (number > chat.last) {
      chat.last = number;
      if (event === 'covered') continue;
      const { seq, text = '' } = JSON.parse(Buffer.from(body).toString());
      chat.texts.set(Number(seq), text);
    }
  }
  return Object.fromEntries([...chats].map(([chatId, { texts }]) => [chatId, Object.fromEntries(texts)]));
}
