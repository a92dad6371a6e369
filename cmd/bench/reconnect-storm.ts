import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
import { type ServiceProcess, startService } from './service-process.ts';
import type { Storm, StormResult } from './storm-clients.ts';

export interface StormFigures extends StormResult {
  clients: number;
  /** Database transactions from the first connection to the last message, minus those of an idle time of the same length. */
  statements: number;
  /** Time from send to receipt between two clients that stayed connected, at 100 messages per second. */
  before: { p50Ms: number; p99Ms: number };
  during: { p50Ms: number; p99Ms: number };
}

const membersOfChat = 100;

export interface StormLoad {
  clients: number;
  behind: number;
  quietMs: number;
  /** A folder for files that are passed to the clients' process. */
  folder: string;
}

/**
 * Reconnects many clients at the same moment, each of which has missed messages: to the node of the clients that stayed connected or, with
 * `elsewhere`, to another node, which shows how much of their delay comes from sharing the machine.
 */
export async function measureStorm(
  dsn: string,
  { clients, behind, quietMs, folder }: StormLoad,
  elsewhere = false,
): Promise<StormFigures> {
  const env: Record<string, string> = elsewhere ? { BUS_URL: 'postgres:' } : {};
  const service = await startService(dsn, env);
  const target = elsewhere ? await startService(dsn, env) : service;
  const admin = new RawClient(service.address);
  const pool = new pg.Pool({ connectionString: dsn, max: 1 });
  const bystander = await Bystander.open(service);
  try {
    await admin.signIn('storm');
    const crowd = await gather(admin, service, clients, behind);
    const file = join(folder, 'storm.json');
    await writeFile(file, JSON.stringify({ urls: [target.url], clients: crowd, messages: behind } satisfies Storm));
    bystander.start();
    await sleep(quietMs);
    bystander.take();
    const quietFrom = await transactions(pool);
    await sleep(quietMs);
    const quiet = ((await transactions(pool)) - quietFrom) / quietMs;
    const before = bystander.take();
    const stormFrom = await transactions(pool);
    const result = await storm(file);
    const during = bystander.take();
    // PostgreSQL updates its counters with a delay of up to a second.
    await sleep(1_500);
    const statements = Math.round((await transactions(pool)) - stormFrom - quiet * (result.allMs + 1_500));
    return { ...result, clients, statements, before, during };
  } finally {
    bystander.close();
    admin.close();
    await pool.end();
    await Promise.all([service.stop(), elsewhere && target.stop()]);
  }
}

/** Creates groups of a hundred members, each with messages that only their sender has seen. */
async function gather(admin: RawClient, { address }: ServiceProcess, count: number, behind: number) {
  const crowd: Storm['clients'] = [];
  const stream = admin.connect();
  stream.on('error', () => {});
  let accepted = 0;
  stream.on('data', (frame: Buffer) => {
    accepted += ConnectChatResponse.decode(frame).events.filter(({ event }) => event?.$case === 'accepted').length;
  });
  let sent = 0;
  for (let at = 0; at < count; at += membersOfChat) {
    const names = Array.from({ length: Math.min(membersOfChat, count - at) }, (_, i) => `storm-${at + i}`);
    const { chat } = await admin.call<CreateChatResponse>('createChat', {
      type: ChatType.GROUP,
      name: `storm ${at}`,
      memberIds: names.map((name) => `guest:${name}`),
    });
    const chatId = chat!.id;
    const afterSeq = Number(chat!.lastSeq);
    const commands = Array.from({ length: behind }, (_, i) => {
      const value = SendMessageRequest.fromPartial({
        chatId,
        clientMessageId: randomUUID(),
        text: `What you have missed: number ${i}.`,
      });
      return { commandId: '', command: { $case: 'sendMessage' as const, value } };
    });
    stream.write(toFrame(commands));
    sent += behind;
    while (accepted < sent) await sleep(2);
    const client = new RawClient(address);
    const tokens = await Promise.all(names.map((name) => client.signIn(name)));
    client.close();
    crowd.push(...tokens.map((token) => ({ token, chatId, afterSeq })));
  }
  return crowd;
}

async function transactions(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(
    'select xact_commit + xact_rollback as count from pg_stat_database where datname = current_database()',
  );
  return Number(rows[0]!.count);
}

/** Runs the clients at a lower priority: the scenario measures the service, not how the machine shares its processors. */
function storm(file: string): Promise<StormResult> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('storm-clients.ts', import.meta.url), [file]);
    child.once('message', (result) => resolve(result as StormResult));
    child.once('exit', (code) => reject(new Error(`the clients ended with ${code}`)));
  });
}

/** Two clients that stay connected; one sends messages to the other. */
class Bystander {
  readonly #clients: RawClient[] = [];
  readonly #sentAt = new Map<string, number>();
  #latencies: number[] = [];
  #send = () => {};
  #timer: NodeJS.Timeout | undefined;

  static async open({ address }: ServiceProcess): Promise<Bystander> {
    const bystander = new Bystander();
    const [one, other] = [new RawClient(address), new RawClient(address)];
    bystander.#clients.push(one, other);
    await Promise.all([one.signIn('bystander'), other.signIn('friend')]);
    const { chat } = await one.call<CreateChatResponse>('createChat', {
      type: ChatType.DIRECT,
      memberIds: ['guest:friend'],
    });
    const chatId = chat!.id;
    const reading = other.connect();
    reading.on('error', () => {});
    const live = new Promise<void>((resolve) => {
      reading.on('data', (frame: Buffer) => {
        const now = performance.now();
        for (const { event } of ConnectChatResponse.decode(frame).events) {
          if (event?.$case === 'caughtUp') resolve();
          const at = event?.$case === 'message' && bystander.#sentAt.get(event.value.clientMessageId);
          if (at) bystander.#latencies.push(now - at);
        }
      });
    });
    reading.write(toFrame([{ commandId: '', command: { $case: 'subscribe', value: { chatId } } }]));
    await live;
    const writing = one.connect();
    writing.on('error', () => {});
    writing.on('data', () => {});
    bystander.#send = () => {
      const value = SendMessageRequest.fromPartial({
        chatId,
        clientMessageId: randomUUID(),
        text: 'Is everything all right?',
      });
      bystander.#sentAt.set(value.clientMessageId, performance.now());
      writing.write(toFrame([{ commandId: '', command: { $case: 'sendMessage', value } }]));
    };
    return bystander;
  }

  start(): void {
    this.#timer = setInterval(() => this.#send(), 10);
  }

  /** The measurements since the last call. */
  take(): { p50Ms: number; p99Ms: number } {
    const latencies = this.#latencies;
    this.#latencies = [];
    return { p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
  }

  close(): void {
    clearInterval(this.#timer);
    for (const client of this.#clients) client.close();
  }
}
