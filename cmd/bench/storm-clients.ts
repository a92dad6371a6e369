import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { fullJitter } from '../../pkg/backoff/jitter.ts';
import { percentile } from './percentile.ts';
import { countFrame, toFrame } from './raw-client.ts';

/** What the process that runs this one asks of it, in a file whose name is its argument. */
export interface Storm {
  /** WebSockets are dealt out over these, in turn. */
  urls: string[];
  clients: { token: string; chatId: string; afterSeq: number }[];
  /** What each is behind. */
  messages: number;
}

export interface StormResult {
  caughtUp: number;
  /** From the beginning of a connection to the last message that it missed, in milliseconds. */
  p50Ms: number;
  p99Ms: number;
  /** Until the last of them had everything. */
  allMs: number;
  connections: number;
}

/** Connects all clients at once, as when the node that they were on has died; those that are turned away come again. */
async function run({ urls, clients, messages }: Storm): Promise<StormResult> {
  const begun = performance.now();
  let connections = 0;
  const times: number[] = [];
  await Promise.all(
    clients.map(async ({ token, chatId, afterSeq }, i) => {
      for (;;) {
        connections += 1;
        const url = `${urls[(i + connections) % urls.length]!.replace('http', 'ws')}/v1/connect`;
        if (await catchUp(url, token, { chatId, afterSeq, messages })) break;
        await sleep(200 + fullJitter(800));
      }
      times.push(performance.now() - begun);
    }),
  );
  const allMs = performance.now() - begun;
  return { caughtUp: times.length, p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99), allMs, connections };
}

/** Whether it got everything that it missed; the connection stays open then. */
function catchUp(
  url: string,
  token: string,
  { chatId, afterSeq, messages }: { chatId: string; afterSeq: number; messages: number },
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, 'chat.v1.proto', {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      handshakeTimeout: 60_000,
    });
    let received = 0;
    socket.on('open', () =>
      socket.send(
        toFrame([
          { commandId: '', command: { $case: 'subscribeAll', value: { cursors: { [chatId]: afterSeq }, others: 1 } } },
        ]),
      ),
    );
    socket.on('message', (frame: Buffer) => {
      received += countFrame(frame).messages;
      if (received >= messages) resolve(true);
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(false));
  });
}

// The machines of real clients are elsewhere: these take what the service, its database and the bystander leave.
setPriority(19);
const result = await run(JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Storm);
process.send?.(result);
process.disconnect?.();
// Their connections stay open until here.
process.exit(0);
