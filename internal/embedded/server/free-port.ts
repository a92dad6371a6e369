import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below every system's range for outgoing connections, so that the port is still free when a crashed server is started on it again.
const FIRST = 15_000;
const LAST = 32_000;
const TRIES = 100;

/** Resolves with a TCP port that nothing listens on at 127.0.0.1. */
export async function freePort(): Promise<number> {
  for (let i = 0; i < TRIES; i++) {
    const port = await bind(randomInt(FIRST, LAST));
    if (port !== undefined) return port;
  }
  return (await bind(0)) ?? 0;
}

function bind(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
