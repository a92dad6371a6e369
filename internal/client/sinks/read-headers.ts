import { AckPolicy, type DeliverPolicy, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/transport-node';

/** An event in a stream, without its payload. */
export interface EventHeaders {
  position: number;
  headers: MsgHdrs;
}

export interface ReadHeadersOptions {
  stream: string;
  subject: string;
  policy: typeof DeliverPolicy.All | typeof DeliverPolicy.LastPerSubject;
}

/** Events that wait in memory to be looked at. */
const pageSize = 1_000;
const pageMs = 5_000;
const nanosecondsPerMs = 1_000_000;

/** Reads the headers of the events that the stream has at the moment of the call, in their order. Throws unless it gets all of them. */
export async function* readHeaders(
  { client, manager }: { client: JetStreamClient; manager: JetStreamManager },
  { stream, subject, policy }: ReadHeadersOptions,
): AsyncGenerator<EventHeaders, void, undefined> {
  const { name, num_pending } = await manager.consumers.add(stream, {
    ack_policy: AckPolicy.None,
    deliver_policy: policy,
    filter_subject: subject,
    headers_only: true,
    mem_storage: true,
    inactive_threshold: 60_000 * nanosecondsPerMs,
  });
  try {
    const consumer = await client.consumers.get(stream, name);
    for (let read = 0; read < num_pending; ) {
      const wanted = Math.min(pageSize, num_pending - read);
      let left = wanted;
      for await (const message of await consumer.fetch({ max_messages: wanted, expires: pageMs })) {
        read += 1;
        left -= 1;
        if (message.info.deliverySequence !== read) throw new Error('an event was lost while the stream was read');
        if (message.headers) yield { position: message.seq, headers: message.headers };
        if (message.info.pending === 0) return;
        if (left === 0) break;
      }
      if (left > 0) throw new Error('the stream could not be read to its end');
    }
  } finally {
    // Whether it succeeds or not: the server removes the consumer once nobody has asked it for a minute.
    await manager.consumers.delete(stream, name).catch(() => {});
  }
}
