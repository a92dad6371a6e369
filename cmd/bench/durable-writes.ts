import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { ChatType, type Command, type CreateChatResponse, SendMessageRequest } from '../../pkg/api/chat/v1/chat.ts';
import { countFrame, RawClient, toFrame } from './raw-client.ts';
import { type ServiceProcess, startService } from './service-process.ts';

export interface WriteLoad {
  streams: number;
  /** How many messages of each stream may be unanswered at a time. */
  window: number;
  warmUpMs: number;
  durationMs: number;
}

export interface WriteResult {
  perSecond: number;
  /** CPU time of the service for each message, in microseconds. */
  serviceMicros: number;
}

const text = 'The quick brown fox jumps over the lazy dog, and the dog does not mind.';

/** Measures durable, acknowledged messages per second over many streams, four streams to a chat. */
export async function measureWrites(
  dsn: string,
  load: WriteLoad,
  env: Record<string, string> = {},
): Promise<WriteResult> {
  // The baseline is so slow that its messages wait longer than the default limit.
  const patient = { WRITER_GIVE_UP_MS: '60000', CALL_TIMEOUT_MS: '61000', MAX_PENDING_SENDS: '100000' };
  const service = await startService(dsn, { ...patient, ...env });
  const clients: RawClient[] = [];
  try {
    let acknowledged = 0;
    const chats: string[] = [];
    for (let i = 0; i < Math.ceil(load.streams / 4); i += 1) {
      const client = new RawClient(service.address);
      clients.push(client);
      await client.signIn(`writer-${i}`);
      const { chat } = await client.call<CreateChatResponse>('createChat', {
        type: ChatType.GROUP,
        name: `bench ${i}`,
      });
      chats.push(chat!.id);
    }
    for (let i = 0; i < load.streams; i += 1) {
      const which = i % chats.length;
      keepSending(clients[which]!, chats[which]!, load.window, (count) => {
        acknowledged += count;
      });
    }
    await sleep(load.warmUpMs);
    const before = sample(service, acknowledged);
    await sleep(load.durationMs);
    const after = sample(service, acknowledged);
    const messages = after.acknowledged - before.acknowledged;
    return {
      perSecond: messages / ((after.at - before.at) / 1_000),
      serviceMicros: (after.cpuMicros - before.cpuMicros) / messages,
    };
  } finally {
    for (const client of clients) client.close();
    await service.stop();
  }
}

/** The same inserts without a service: one autocommitted statement for each message, on several connections. */
export async function measureBareInserts(dsn: string, connections: number, durationMs: number): Promise<number> {
  const pool = new pg.Pool({ connectionString: dsn, max: connections });
  try {
    await pool.query(
      'create table bare (chat_id uuid, seq bigint, id uuid, sender text, text text, primary key (chat_id, seq))',
    );
    const until = performance.now() + durationMs;
    let count = 0;
    const insert = async (chatId: string) => {
      for (let seq = 1; performance.now() < until; seq += 1) {
        await pool.query({
          name: 'bare',
          text: 'insert into bare values ($1, $2, $3, $4, $5)',
          values: [chatId, seq, randomUUID(), 'guest:alice', text],
        });
        count += 1;
      }
    };
    await Promise.all(Array.from({ length: connections }, () => insert(randomUUID())));
    return count / (durationMs / 1_000);
  } finally {
    await pool.end();
  }
}

function keepSending(client: RawClient, chatId: string, window: number, onAcknowledged: (count: number) => void): void {
  const stream = client.connect();
  const prefix = randomUUID().slice(0, 13);
  let sent = 0;
  const send = (count: number) => {
    const commands: Command[] = [];
    for (let i = 0; i < count; i += 1) {
      sent += 1;
      const value = SendMessageRequest.fromPartial({ chatId, clientMessageId: `${prefix}-${sent}`, text });
      commands.push({ commandId: String(sent), command: { $case: 'sendMessage', value } });
      if (commands.length === 64) stream.write(toFrame(commands.splice(0)));
    }
    if (commands.length > 0) stream.write(toFrame(commands));
  };
  stream.on('data', (frame: Buffer) => {
    const { accepted, rejected } = countFrame(frame);
    if (rejected > 0) throw new Error('the service refused a message of the load');
    onAcknowledged(accepted);
    if (accepted > 0) send(accepted);
  });
  stream.on('error', () => {});
  send(window);
}

function sample(service: ServiceProcess, acknowledged: number) {
  return { at: performance.now(), cpuMicros: service.cpuMicros(), acknowledged };
}
