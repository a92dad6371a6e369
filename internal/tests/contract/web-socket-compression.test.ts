import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { SocketClient } from '../../testing/clients/socket-client.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { startTestService } from '../../testing/services/test-service.ts';

async function start(env: Record<string, string>) {
  const service = await startTestService(env);
  onTestFinished(() => service.stop());
  return service;
}

/** Starts a proxy that counts the bytes from the service. Returns the count and the proxy's URL. */
async function countBytes(url: string) {
  const counter = { bytes: 0, url: '' };
  const { port, hostname } = new URL(url);
  const server = createServer((client) => {
    const upstream = connect({ port: Number(port), host: hostname, noDelay: true });
    client.setNoDelay();
    upstream.on('data', ({ length }) => {
      counter.bytes += length;
    });
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  counter.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return counter;
}

test('compression is off by default', async () => {
  const service = await start({});
  const alice = await signIn(service.transport(), 'alice');
  const client = await SocketClient.connect(service.url, { token: alice.token, perMessageDeflate: true });
  expect(client.socket.extensions).toBe('');
});

test.each(['chat.v1.json', 'chat.v1.proto'])(
  'clients that ask for compression get it if it is on, and every message unchanged and in order, with %s',
  async (protocol) => {
    const service = await start({ WEBSOCKET_COMPRESSION: 'true' });
    const alice = await signIn(service.transport(), 'alice');
    const group = await newGroup(alice);
    const options = { token: alice.token, protocols: [protocol] };
    const [few, many] = [await countBytes(service.url), await countBytes(service.url)];
    const small = await SocketClient.connect(few.url, { ...options, perMessageDeflate: { threshold: 0 } });
    const plain = await SocketClient.connect(many.url, options);
    expect(small.socket.extensions).toMatch(/^permessage-deflate/);
    expect(plain.socket.extensions).toBe('');
    for (const client of [small, plain]) await client.ask(commands.subscribe(group.id));

    // A mix of short texts, which are not compressed, and long ones; sent by calls and by compressed commands.
    const texts = Array.from({ length: 200 }, (_, i) => `${i} ${'ab'.repeat(i % 3 === 0 ? 1_900 : 3)} é🙂`);
    for (const [i, text] of texts.entries()) {
      if (i % 2 === 0) await say(alice, group, text);
      else await small.ask(commands.send(group.id, text));
      if (i % 50 === 0) small.socket.ping();
    }

    const heard = (client: SocketClient) =>
      client.events.flatMap((event) => (event.$case === 'message' ? [event.value.text] : []));
    for (const client of [small, plain]) {
      await client.until(() => heard(client).length === texts.length);
      expect(heard(client)).toEqual(texts);
    }
    expect(few.bytes).toBeLessThan(many.bytes / 2);
    small.socket.close(1000);
    expect((await small.closed).code).toBe(1000);
  },
);

test('a service that is stopped while it sends compressed frames ends with the event closing', async () => {
  const service = await startTestService({ WEBSOCKET_COMPRESSION: 'true' });
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const client = await SocketClient.connect(service.url, { token: alice.token, perMessageDeflate: true });
  await client.ask(commands.subscribe(group.id));
  const ids = Array.from(
    { length: 100 },
    (_, i) => client.send(commands.send(group.id, `${i} ${'x'.repeat(3_000)}`))[0],
  );
  await client.nextOf('accepted');
  await service.stop();
  expect(await client.closed).toEqual({ code: 1012, reason: 'DRAINING' });
  expect(client.events.at(-1)).toMatchObject({ $case: 'closing' });
  const accepted = client.events.flatMap((event) => (event.$case === 'accepted' ? [event.value.commandId] : []));
  expect(accepted).toEqual(ids.filter((id) => accepted.includes(id!)));
});

test('an unknown extension, or one with invalid parameters, is not accepted', async () => {
  const service = await start({ WEBSOCKET_COMPRESSION: 'true' });
  const alice = await signIn(service.transport(), 'alice');
  const ask = async (extensions: string) => {
    const socket = new WebSocket(`${service.url.replace('http', 'ws')}/v1/connect`, ['chat.v1.json'], {
      perMessageDeflate: false,
      headers: { authorization: `Bearer ${alice.token}`, 'sec-websocket-extensions': extensions },
    });
    socket.on('error', () => {});
    onTestFinished(() => socket.terminate());
    const upgraded = once(socket, 'upgrade').then(([response]: IncomingMessage[]) => response!.statusCode);
    const refused = once(socket, 'unexpected-response').then(
      ([, response]) => (response as IncomingMessage).statusCode,
    );
    for (const answer of [upgraded, refused]) answer.catch(() => {});
    return Promise.race([upgraded, refused]);
  };
  expect(await ask('x-unknown')).toBe(101);
  expect(await ask('permessage-deflate; server_max_window_bits=999')).toBe(400);
});
