import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ChatType,
  type Command,
  type CreateChatResponse,
  FinishOutcome,
  SendMessageRequest,
  type StartMessageResponse,
} from '../../pkg/api/chat/v1/chat.ts';
import { until } from './fan-out-wire.ts';
import type { Figure } from './figure.ts';
import { postgresCpu } from './postgres-cpu.ts';
import { countFrame, RawClient, toFrame } from './raw-client.ts';
import { startService } from './service-process.ts';

interface TokenLoad {
  /** Each writes in a chat of its own. */
  senders: number;
  /** Of each chat. */
  readers: number;
  durationMs: number;
}

interface TokenResult {
  tokens: number;
  /** Events that one reader received for each token. */
  eventsPerToken: number;
  /** CPU time for each token, in microseconds. */
  serviceMicros: number;
  postgresMicros: number;
}

/** As fast as a language model. */
const tokensPerSecond = 150;
const token = ' token';
const streamsPerConnection = 50;

/** Compares messages that are streamed, token by token, with the same texts sent as one message for each token. */
export async function measureStreamed(
  newDatabase: () => Promise<string>,
  folder: string,
  seconds: number,
): Promise<Figure[]> {
  const isQuick = seconds < 2;
  const loads: [string, TokenLoad][] = [
    ['20 senders without readers', { senders: 20, readers: 0, durationMs: seconds * 1_000 }],
    [
      `a chat of ${isQuick ? 100 : 1_000} readers`,
      { senders: 1, readers: isQuick ? 100 : 1_000, durationMs: seconds * 500 },
    ],
  ];
  const figures: Figure[] = [];
  for (const [what, load] of loads) {
    const sent = await measureTokens(await newDatabase(), folder, load, undefined);
    for (const flushMs of load.readers > 0 ? [40, 100] : [40]) {
      const streamed = await measureTokens(await newDatabase(), folder, load, flushMs);
      const figure = (of: string, field: keyof TokenResult, unit: string): Figure => ({
        what: `streamed tokens, ${tokensPerSecond}/s for each sender, a flush in ${flushMs} ms, ${what}: ${of}`,
        value: streamed[field],
        unit,
        baseline: { what: 'a message for each token', value: sent[field] },
      });
      figures.push(
        figure("service's processor time for a token", 'serviceMicros', 'µs'),
        figure("PostgreSQL's processor time for a token", 'postgresMicros', 'µs'),
      );
      if (load.readers > 0) figures.push(figure('events for a token and reader', 'eventsPerToken', ''));
    }
  }
  return figures;
}

async function measureTokens(
  dsn: string,
  folder: string,
  { senders, readers, durationMs }: TokenLoad,
  /** Absent: a message for each token. */
  flushMs: number | undefined,
): Promise<TokenResult> {
  const streamed = flushMs !== undefined;
  const service = await startService(dsn, {
    RATE_LIMIT_PARTS: '0',
    ...(streamed && { STREAM_FLUSH_MS: String(flushMs) }),
    CALL_TIMEOUT_MS: '60000',
    WRITER_GIVE_UP_MS: '50000',
  });
  const postgres = postgresCpu(folder);
  const clients: RawClient[] = [];
  const newClient = (accessToken?: string) => {
    const client = new RawClient(service.address);
    if (accessToken) client.useToken(accessToken);
    clients.push(client);
    return client;
  };
  try {
    let events = 0;
    let tokens = 0;
    const measured = { service: 0, postgres: 0 };
    const used = () => ({ service: service.cpuMicros(), postgres: postgres.cpuMicros() });
    const run = async (ms: number) => {
      const before = used();
      const counts = await Promise.all(writers.map((writer) => writer(ms)));
      const after = used();
      tokens = counts.reduce((sum, count) => sum + count, 0);
      measured.service = after.service - before.service;
      measured.postgres = after.postgres - before.postgres;
    };
    const writers = await Promise.all(
      Array.from({ length: senders }, async (_, i) => {
        const client = newClient();
        const accessToken = await client.signIn(`writer-${i}`);
        const { chat } = await client.call<CreateChatResponse>('createChat', { type: ChatType.GROUP, name: 'bench' });
        const chatId = chat!.id;
        const received: number[] = Array(readers).fill(0);
        let live = 0;
        let wanted = 0;
        for (let reader = 0; reader < readers; reader += 1) {
          const connection = reader % streamsPerConnection === 0 ? newClient(accessToken) : clients.at(-1)!;
          const stream = connection.connect();
          stream.on('error', () => {});
          stream.on('data', (frame: Buffer) => {
            const counts = countFrame(frame);
            live += counts.caughtUp;
            received[reader]! += streamed ? counts.changed : counts.messages;
            events += counts.events;
          });
          stream.write(toFrame([{ commandId: '', command: { $case: 'subscribe', value: { chatId } } }]));
        }
        await until(() => live === readers);
        const stream = client.connect();
        stream.on('error', () => {});
        let accepted = 0;
        stream.on('data', (frame: Buffer) => {
          const counts = countFrame(frame);
          if (counts.rejected > 0) throw new Error('the service refused a token');
          accepted += counts.accepted;
        });
        const write = (command: Command['command']) => stream.write(toFrame([{ commandId: '', command }]));
        return async (ms: number): Promise<number> => {
          events = 0;
          accepted = 0;
          const value = { chatId, clientMessageId: randomUUID(), text: '' };
          const messageId = streamed ? (await client.call<StartMessageResponse>('startMessage', value)).messageId : '';
          const began = performance.now();
          let count = 0;
          for (let now = began; now < began + ms; now = performance.now()) {
            for (; count < ((now - began) / 1_000) * tokensPerSecond; count += 1) {
              if (streamed)
                write({ $case: 'appendMessage', value: { chatId, messageId, part: count + 1, text: token } });
              else {
                const message = { chatId, clientMessageId: randomUUID(), text: token };
                write({ $case: 'sendMessage', value: SendMessageRequest.fromPartial(message) });
              }
            }
            await sleep(4);
          }
          await until(() => accepted === count);
          if (streamed) await client.call('finishMessage', { chatId, messageId, outcome: FinishOutcome.COMPLETE });
          // Of a streamed message its end, which comes once; else each message.
          wanted += streamed ? 1 : count;
          await until(() => received.every((has) => has === wanted));
          return count;
        };
      }),
    );
    await run(durationMs / 4);
    await run(durationMs);
    return {
      tokens,
      eventsPerToken: readers > 0 ? events / readers / tokens : 0,
      serviceMicros: measured.service / tokens,
      postgresMicros: measured.postgres / tokens,
    };
  } finally {
    for (const client of clients) client.close();
    await service.stop();
  }
}
