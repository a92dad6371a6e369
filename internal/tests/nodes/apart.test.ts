import { request } from 'node:http';
import pg from 'pg';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { CloseReason } from '../../../pkg/api/chat/v1/chat.ts';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { freePort } from '../../embedded/server/free-port.ts';
import { newGroup, personOf } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { holdChat, lockWaits } from '../../testing/faults/row-lock.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';

/** Creates an empty database on the run's PostgreSQL. */
async function emptyDatabase(): Promise<string> {
  const dsn = new URL(await createTestDatabase());
  const name = `${dsn.pathname.slice(1)}_empty`;
  const client = new pg.Client({ connectionString: dsn.href });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  dsn.pathname = `/${name}`;
  return dsn.href;
}

const identity = { AUTH_ISSUER: 'https://accounts.example.com', AUTH_AUDIENCE: 'chat' };

async function startApart() {
  const accounts = await emptyDatabase();
  const auth = await ChildService.start({ POSTGRES_DSN: accounts, ...identity }, 'auth-server');
  const chat = await ChildService.start({
    POSTGRES_DSN: await createTestDatabase(),
    GATEWAY: 'false',
    AUTH_JWKS_URL: `${auth.url}/.well-known/jwks.json`,
    AUTH_REVOCATIONS_URL: `${auth.url}/v1/auth/revocations`,
    ...identity,
  });
  return { accounts, auth, chat };
}

async function call(url: string, method: string, path: string, body?: object, token?: string) {
  const response = await fetch(`${url}${path}`, {
    method,
    ...(body && { body: JSON.stringify(body) }),
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
  });
  return { status: response.status, body: (await response.json()) as Record<string, never> };
}

const credentials = { username: 'alice', password: 'correct horse battery staple' };

test('accounts, chats and gateway run as processes of their own, with databases of their own', async () => {
  const { accounts, auth, chat } = await startApart();
  const gateway = await ChildService.start({ GATEWAY_UPSTREAMS: chat.address }, 'gateway');
  const client = new pg.Client({ connectionString: accounts });
  await client.connect();
  const { rows } = await client.query<{ there: boolean }>(`select to_regclass('chats') is not null as there`);
  await client.end();
  expect(rows).toEqual([{ there: false }]);

  const { body: alice } = await call(auth.url, 'POST', '/v1/auth/register', credentials);
  const token: string = alice.accessToken!;
  const created = await call(gateway.url, 'POST', '/v1/chats', { type: 'CHAT_TYPE_GROUP', name: 'apart' }, token);
  expect(created).toMatchObject({ status: 200, body: { chat: { createdBy: 'alice' } } });
  const elsewhere = await call(gateway.url, 'POST', '/v1/auth/login', credentials);
  expect(elsewhere.body).toMatchObject({ code: 9, details: [{ reason: 'ACCOUNTS_ELSEWHERE' }] });
  expect(await call(gateway.url, 'GET', '/v1/auth/me', undefined, token)).toMatchObject({ body: { userId: 'alice' } });
});

test('a logout at the auth-server ends the user’s access to the chat service long before the token expires', async () => {
  const { auth, chat } = await startApart();
  const { body } = await call(auth.url, 'POST', '/v1/auth/register', credentials);
  const token: string = body.accessToken!;
  const transport = grpcTransport(chat.address);
  onTestFinished(() => transport.close());
  const alice = personOf(transport, { id: 'alice', name: 'alice', token });
  await newGroup(alice);
  const stream = await alice.connect();

  expect((await call(auth.url, 'POST', '/v1/auth/logout', {}, token)).status).toBe(200);
  expect(await stream.ended).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'SESSION_REVOKED' });
  expect(stream.all('closing')).toMatchObject([{ reason: CloseReason.SESSION_REVOKED }]);
  await expect(newGroup(alice)).rejects.toMatchObject({ reason: 'SESSION_REVOKED' });
});

describe('a separate gateway', () => {
  let database: string;
  beforeAll(async () => {
    database = await createTestDatabase();
  });

  test('spreads calls over the reachable services, and answers 503 when there is none', async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(() => ChildService.start({ POSTGRES_DSN: database, GATEWAY: 'false' })),
    );
    const gateway = await ChildService.start({ GATEWAY_UPSTREAMS: `${first!.address},${second!.address}` }, 'gateway');
    const { body } = await call(gateway.url, 'POST', '/v1/auth/guest', { name: 'alice' });
    const list = () => call(gateway.url, 'GET', '/v1/chats', undefined, body.accessToken);
    const calls = (service: ChildService) => service.logs.filter(({ method }) => method === 'ListChats').length;
    // One connection may be ready later than the other.
    await eventually(async () => {
      expect((await list()).status).toBe(200);
      expect(Math.min(calls(first!), calls(second!))).toBeGreaterThan(0);
    });

    first!.signal('SIGKILL');
    await first!.exited;
    await eventually(async () => expect((await list()).status).toBe(200));
    for (let i = 0; i < 5; i += 1) expect((await list()).status).toBe(200);

    second!.signal('SIGKILL');
    await second!.exited;
    await eventually(async () => expect(await list()).toMatchObject({ status: 503, body: { code: 14 } }));
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);
  });

  test('passes on the client’s address, request id and trace id', async () => {
    const service = await ChildService.start({
      POSTGRES_DSN: database,
      GATEWAY: 'false',
      TRUSTED_PROXIES: 'loopback',
    });
    const gateway = await ChildService.start(
      { GATEWAY_UPSTREAMS: service.address, TRUSTED_PROXIES: 'loopback' },
      'gateway',
    );
    const response = await fetch(`${gateway.url}/v1/auth/guest`, {
      method: 'POST',
      body: '{"name":"alice"}',
      headers: {
        'x-forwarded-for': '203.0.113.9',
        'x-request-id': 'r-1',
        traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`,
      },
    });
    expect(response.headers.get('x-request-id')).toBe('r-1');
    expect(response.headers.get('x-trace-id')).toBe('ab'.repeat(16));
    await eventually(() =>
      expect(service.logs.find(({ method }) => method === 'Guest')).toMatchObject({
        peer: expect.stringMatching(/^203\.0\.113\.9:/),
        traceId: 'ab'.repeat(16),
      }),
    );
  });

  test('cancels a call when its client disconnects', async () => {
    const service = await ChildService.start({ POSTGRES_DSN: database, GATEWAY: 'false' });
    const gateway = await ChildService.start({ GATEWAY_UPSTREAMS: service.address }, 'gateway');
    const { body } = await call(gateway.url, 'POST', '/v1/auth/guest', { name: 'alice' });
    const token: string = body.accessToken!;
    const created = await call(gateway.url, 'POST', '/v1/chats', { type: 'CHAT_TYPE_GROUP' }, token);
    const chat = created.body.chat as unknown as { id: string };
    const release = await holdChat(database, chat);
    const controller = new AbortController();
    const asked = fetch(`${gateway.url}/v1/chats/${chat.id}/members`, {
      method: 'POST',
      body: '{"userIds":["bob"]}',
      headers: { authorization: `Bearer ${token}` },
      signal: controller.signal,
    });
    await lockWaits(database, 1);
    controller.abort();
    await expect(asked).rejects.toThrow();
    await eventually(() =>
      expect(service.logs.find(({ method }) => method === 'AddMembers')).toMatchObject({ code: 'CANCELLED' }),
    );
    await release();
  });

  test('does not let a client’s headers break the shared connection or hang the call', async () => {
    const service = await ChildService.start({ POSTGRES_DSN: database, GATEWAY: 'false' });
    const gateway = await ChildService.start({ GATEWAY_UPSTREAMS: service.address }, 'gateway');
    const { hostname, port } = new URL(gateway.url);
    const hostile = [
      'keep-alive',
      'proxy-connection',
      'transfer-encoding',
      'upgrade',
      'http2-settings',
      'content-length',
    ];
    for (const name of [...hostile, 'connection', 'te', 'host', 'trailer', 'expect', 'user-agent', 'grpc-encoding']) {
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const headers = { [`Grpc-Metadata-${name}`]: '5' };
        request({ hostname, port, path: '/.well-known/jwks.json', headers, timeout: 5_000 }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        })
          .on('timeout', () => reject(new Error(`${name} is not answered`)))
          .on('error', reject)
          .end();
      });
      expect([name, status]).toEqual([name, 200]);
      expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
    }
  });

  test('does not reveal the addresses of its services', async () => {
    const port = await freePort();
    const gateway = await ChildService.start({ GATEWAY_UPSTREAMS: `127.0.0.1:${port}` }, 'gateway');
    const { status, body } = await call(gateway.url, 'GET', '/v1/rooms');
    expect([status, body.message]).toEqual([503, 'no service can be reached at the moment']);
  });

  test('starts without its services, and connects once they are reachable', async () => {
    const port = await freePort();
    const gateway = await ChildService.start({ GATEWAY_UPSTREAMS: `127.0.0.1:${port}` }, 'gateway');
    expect(await call(gateway.url, 'GET', '/v1/rooms')).toMatchObject({ status: 503 });
    await ChildService.start({ POSTGRES_DSN: database, GRPC_PORT: String(port), GATEWAY: 'false' });
    await eventually(async () => expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200));
    expect(await call(gateway.url, 'GET', '/v1/rooms')).toMatchObject({ status: 401 });
  });

  test('exits with all faults of its settings', async () => {
    const gateway = ChildService.spawn({ GATEWAY_UPSTREAMS: 'a:1,b:2', HTTP_PORT: 'x' }, 'gateway');
    expect((await gateway.exited).code).toBe(2);
    expect(gateway.stderr).toMatch(/error: HTTP_PORT .*\nerror: GATEWAY_UPSTREAMS .*IP addresses/);
  });
});
