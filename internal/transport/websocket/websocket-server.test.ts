import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import type { CpuBudgetOptions } from './cpu-budget.ts';
import { WebSocketServer } from './websocket-server.ts';

const descriptors = readFileSync(new URL('../../../pkg/api/descriptors.binpb', import.meta.url));

async function start(handshakes: CpuBudgetOptions): Promise<number> {
  const sockets = new WebSocketServer(
    { streams: { run: () => new Promise(() => {}) }, descriptors, log: pino({ level: 'silent' }) },
    {
      maxFrameBytes: 1_024,
      maxCommandsPerFrame: 10,
      handshakes,
      compression: false,
      keepaliveMs: 10_000,
      trustedProxies: [],
      corsOrigins: [],
      publicUrl: 'http://localhost',
      authTimeoutMs: 10_000,
      closeTimeoutMs: 100,
    },
  );
  const http = createServer();
  sockets.attach(http);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await sockets.stop();
    http.close();
    http.closeAllConnections();
  });
  return (http.address() as AddressInfo).port;
}

/** Sends a WebSocket handshake. `answer` is the first bytes that the server sends back. */
async function ask(port: number): Promise<{ socket: Socket; answer: Promise<string> }> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  const headers = ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  socket.write(`GET /v1/connect HTTP/1.1\r\n${headers.join('\r\n')}\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`);
  return { socket, answer: once(socket, 'data').then(([data]: Buffer[]) => `${data}`) };
}

/** The first handshake uses up the budget of its turn, and the turn lasts longer than any test. */
const oneOnly = { budgetMs: 1e-6, turnMs: 100_000 };

test('a handshake that finds too many waiting is refused with 503 and Retry-After', async () => {
  const port = await start({ ...oneOnly, maxWaiting: 0 });
  expect(await (await ask(port)).answer).toMatch(/^HTTP\/1.1 101 /);
  expect(await (await ask(port)).answer).toMatch(/^HTTP\/1.1 503 .*\r\nRetry-After: [1-5]\r\n.*"code":14/s);
});

test('a client that disconnects while its handshake waits makes room for another', async () => {
  const port = await start({ ...oneOnly, maxWaiting: 1 });
  expect(await (await ask(port)).answer).toMatch(/^HTTP\/1.1 101 /);
  const waiting = await ask(port);
  const refused = await ask(port);
  expect(await refused.answer).toMatch(/^HTTP\/1.1 503 /);
  waiting.socket.end();
  await once(waiting.socket, 'close');
  const next = await ask(port);
  expect(await (await ask(port)).answer).toMatch(/^HTTP\/1.1 503 /);
  expect(next.socket.bytesRead).toBe(0);
});
