import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/transport-node';
import { expect, onTestFinished, test } from 'vitest';
import { startNats } from '../../servers/brokers.ts';
import { eventually } from '../../testing/eventually.ts';
import { connectNats } from './connect-nats.ts';

/** A server with one user, whose password can be changed. */
async function startWithPassword(password: string) {
  const folder = await mkdtemp(join(tmpdir(), 'chat-nats-config-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'nats.conf');
  const write = (pass: string) => writeFile(file, `authorization { user: chat, password: ${pass} }`);
  await write(password);
  const server = await startNats(['--config', file]);
  onTestFinished(() => server.stop());
  return {
    url: `nats://chat:${password}@127.0.0.1:${server.port}`,
    async change(pass: string) {
      await write(pass);
      await server.kill();
      await server.restart();
    },
  };
}

/** The events of the connection, in order. */
function watch(connection: NatsConnection): string[] {
  const seen: string[] = [];
  const run = async () => {
    for await (const { type } of connection.status()) seen.push(type);
  };
  void run();
  return seen;
}

test('a connection reconnects however often the server refuses its credentials', async () => {
  const server = await startWithPassword('right');
  const connection = await connectNats({ url: server.url }, 'test');
  onTestFinished(() => connection.close());
  const seen = watch(connection);

  for (const password of ['changed', 'again']) {
    const errors = () => seen.filter((type) => type === 'error').length;
    await server.change(password);
    const before = errors();
    await eventually(() => expect(errors()).toBeGreaterThan(before + 3));
  }
  await server.change('right');

  await eventually(() => expect(seen.at(-1)).toBe('reconnect'));
  await connection.flush();
});

test('credentials that the server refuses at the first attempt are an error that says so', async () => {
  const server = await startWithPassword('right');
  const url = server.url.replace('right', 'wrong');
  await expect(connectNats({ url }, 'test')).rejects.toThrow(
    /cannot connect to NATS at 127\.0\.0\.1:\d+: .*authorization/i,
  );
});
