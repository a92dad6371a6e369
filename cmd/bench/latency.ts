import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import {
  ChatType,
  ConnectChatResponse,
  type CreateChatResponse,
  SendMessageRequest,
} from '../../pkg/api/chat/v1/chat.ts';
import { percentile } from './percentile.ts';
import { RawClient, toFrame } from './raw-client.ts';
import { startService } from './service-process.ts';

export interface Latencies {
  p50Ms: number;
  p99Ms: number;
}

const chats = 10;
const readersPerChat = 10;
const messagesPerSecond = 500;

/**
 * Measures the time from the send to the receipt at each of ten readers, at 500 messages per second over ten chats. With `bus` the readers are on
 * another node than the senders.
 */
export async function measureLatency(dsn: string, durationMs: number, bus?: string): Promise<Latencies> {
  const env: Record<string, string> = bus === undefined ? {} : { BUS_URL: bus };
  const service = await startService(dsn, env);
  const other = bus === undefined ? undefined : await startService(dsn, env);
  const clients: RawClient[] = [];
  try {
    let live = 0;
    const latencies: number[] = [];
    const sentAt = new Map<string, number>();
    const senders = await Promise.all(
      Array.from({ length: chats }, async (_, i) => {
        const client = new RawClient(service.address);
        clients.push(client);
        const token = await client.signIn(`latency-${i}`);
        const elsewhere = other ? new RawClient(other.address) : client;
        elsewhere.useToken(token);
        if (other) clients.push(elsewhere);
        const { chat } = await client.call<CreateChatResponse>('createChat', {
          type: ChatType.GROUP,
          name: `bench ${i}`,
        });
        const chatId = chat!.id;
        for (let reader = 0; reader < readersPerChat; reader += 1) {
          const stream = elsewhere.connect();
          stream.on('error', () => {});
          stream.on('data', (frame: Buffer) => {
            const now = performance.now();
            for (const { event } of ConnectChatResponse.decode(frame).events) {
              live += event?.$case === 'caughtUp' ? 1 : 0;
              const at = event?.$case === 'message' && sentAt.get(event.value.clientMessageId);
              if (at) latencies.push(now - at);
            }
          });
          stream.write(toFrame([{ commandId: '', command: { $case: 'subscribe', value: { chatId } } }]));
        }
        const stream = client.connect();
        stream.on('error', () => {});
        stream.on('data', () => {});
        return () => {
          const value = SendMessageRequest.fromPartial({
            chatId,
            clientMessageId: randomUUID(),
            text: 'How long does this take?',
          });
          sentAt.set(value.clientMessageId, performance.now());
          stream.write(toFrame([{ commandId: '', command: { $case: 'sendMessage', value } }]));
        };
      }),
    );
    await until(() => live === chats * readersPerChat, 'not every reader is live');
    const warmUps = await atRate(messagesPerSecond, 1_500, (i) => senders[i % chats]!());
    await until(() => latencies.length === warmUps * readersPerChat, 'not every message of the warm-up arrived');
    latencies.length = 0;
    const sent = await atRate(messagesPerSecond, durationMs, (i) => senders[i % chats]!());
    await until(() => latencies.length === sent * readersPerChat, 'not every message arrived');
    return { p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
  } finally {
    for (const client of clients) client.close();
    await Promise.all([service.stop(), other?.stop()]);
  }
}

/** The time of a commit of one row at the same rate, without a service. */
export async function measureBareCommits(dsn: string, durationMs: number): Promise<Latencies> {
  const pool = new pg.Pool({ connectionString: dsn, max: 8 });
  try {
    await pool.query('create table bare_commit (id uuid primary key, text text)');
    const latencies: number[] = [];
    const commits: Promise<void>[] = [];
    await atRate(messagesPerSecond, durationMs, () => {
      const at = performance.now();
      const values = [randomUUID(), 'How long does this take?'];
      const commit = pool.query({ name: 'commit', text: 'insert into bare_commit values ($1, $2)', values });
      commits.push(commit.then(() => void latencies.push(performance.now() - at)));
    });
    await Promise.all(commits);
    return { p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
  } finally {
    await pool.end();
  }
}

/** Calls `act` at a fixed rate, and catches up after delays. Returns the number of calls. */
async function atRate(perSecond: number, durationMs: number, act: (i: number) => void): Promise<number> {
  const begun = performance.now();
  let done = 0;
  for (let elapsed = 0; elapsed < durationMs; elapsed = performance.now() - begun) {
    for (; done < (elapsed / 1_000) * perSecond; done += 1) act(done);
    await sleep(1);
  }
  return done;
}

async function until(condition: () => boolean, fault: string): Promise<void> {
  for (const giveUpAt = performance.now() + 10_000; !condition(); ) {
    if (performance.now() > giveUpAt) throw new Error(fault);
    await sleep(5);
  }
}
