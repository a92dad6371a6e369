import { DeliverPolicy, jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { expect } from 'vitest';
import { eventually } from '../eventually.ts';

export interface StoredEvent {
  subject: string;
  /** The kind of the event. */
  event: string;
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
