import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { fullJitter } from '../../pkg/backoff/jitter.ts';
import { percentile } from './percentile.ts';
import { countFrame, toFrame } from './raw-client.ts';

/** The task of this process, in a file whose path is its argument. */
export interface Storm {
  /** The URLs to connect to, in turn. */
  urls: string[];
  clients: { token: string; chatId: string; afterSeq: number }[];
  /** How many messages each client has missed. */
  messages: number;
}

export interface StormResult {
  caughtUp: number;
  /** Percentiles over the clients of the time from the first connection attempt to the last missed message, in milliseconds. */
  p50Ms: number;
  p99Ms: number;
  /** The time until the last client had everything, in milliseconds. */
  allMs: number;
  connections: number;
}

/** Connects all clients at once, as after the death of their node; refused clients retry. */
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

/** Resolves with whether the client received everything that it missed; then its connection stays open. */
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
          {
            commandId: '',
            command: { $case: 'subscribeAll', value: { cursors: { [chatId]: afterSeq }, others: 1, epochs: {} } },
          },
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

// Real clients are on other machines: at a low priority these use only what the service, its database and the connected clients leave.
setPriority(19);
const result = await run(JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Storm);
process.send?.(result);
process.disconnect?.();
// The connections stay open until here; without this they would keep the process running.
process.exit(0);
