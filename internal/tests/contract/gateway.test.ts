import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { newGroup, type Person, signIn } from '../../testing/clients/person.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { holdChat, lockWaits } from '../../testing/faults/row-lock.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

const log = new LogLines('debug');
let service: TestService;
let alice: Person;
beforeAll(async () => {
  const settings = { CORS_ORIGINS: 'https://app.example.com', TRUSTED_PROXIES: 'loopback' };
  service = await startTestService(settings, { log: log.logger });
  alice = await signIn(service.transport(), 'alice');
});
afterAll(() => service.stop());

/** The fields of bodies that these tests read. */
interface Body {
  chat: { id: string };
  created: boolean;
  messages: object[];
  members: object[];
  code: number;
  details: { '@type': string; fieldViolations: { field: string; description: string }[] }[];
}

interface Answer extends Response {
  json(): Promise<Body>;
}

interface Init extends RequestInit {
  headers?: Record<string, string>;
}

/** Sends a request with alice's token, or with the given header `authorization`; '' sends none. */
function ask(method: string, path: string, { headers = {}, ...init }: Init = {}): Promise<Answer> {
  const { authorization = `Bearer ${alice.token}`, ...others } = headers;
  const sent = authorization === '' ? others : { authorization, ...others };
  return fetch(`${service.url}${path}`, { method, headers: sent, ...init }) as Promise<Answer>;
}

function post(path: string, body: unknown, init: Init = {}): Promise<Answer> {
  const headers = { 'content-type': 'application/json', ...init.headers };
  return ask('POST', path, { ...init, headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
}

/** Sends a GET request with alice's token, without fetch, which normalizes paths and adds cache headers. */
function get(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const { hostname, port } = new URL(service.url);
  return new Promise((resolve, reject) => {
    const sent = { authorization: `Bearer ${alice.token}`, ...headers };
    request({ hostname, port, path, headers: sent }, (answer) => resolve(answer.resume()))
      .on('error', reject)
      .end();
  });
}

/** The violations in an answer with status 400. */
async function violationsOf(response: Answer): Promise<{ field: string; description: string }[]> {
  expect(response.status).toBe(400);
  const { code, details } = await response.json();
  expect(code).toBe(3);
  return details.find((detail) => detail['@type'].endsWith('BadRequest'))?.fieldViolations ?? [];
}

describe('requests and answers', () => {
  test('an answer is canonical proto3 JSON: camelCase, 64-bit numbers as strings, unset fields present', async () => {
    const response = await post('/v1/chats', { type: 'CHAT_TYPE_GROUP', name: 'Team', member_ids: ['bob'] });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const { chat, created } = await response.json();
    expect(created).toBe(true);
    expect(chat).toMatchObject({
      type: 'CHAT_TYPE_GROUP',
      name: 'Team',
      lastSeq: '1',
      memberCount: 2,
      ownRole: 'CHAT_ROLE_OWNER',
      joinedSeq: '1',
      createdBy: alice.id,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    const list = await (await ask('GET', `/v1/chats/${chat.id}/messages?afterSeq=1`)).json();
    expect(list).toEqual({ messages: [], hasMore: false, epoch: expect.any(String), referenced: [] });
  });

  test('both spellings of a field are accepted, in the body and in the query', async () => {
    const { chat } = await (await post('/v1/chats', { type: 2, memberIds: ['bob'] })).json();
    for (const query of ['pageSize=1', 'page_size=1']) {
      const { messages } = await (await ask('GET', `/v1/chats/${chat.id}/messages?${query}`)).json();
      expect(messages).toHaveLength(1);
    }
  });

  test('a user id with a colon is part of the path, encoded or not', async () => {
    const { chat } = await (
      await post('/v1/chats', { type: 'CHAT_TYPE_GROUP', memberIds: ['guest:x', 'guest:y'] })
    ).json();
    expect((await ask('DELETE', `/v1/chats/${chat.id}/members/guest:x`)).status).toBe(200);
    expect((await ask('DELETE', `/v1/chats/${chat.id}/members/guest%3Ay`)).status).toBe(200);
    const { members } = await (await ask('GET', `/v1/chats/${chat.id}/members`)).json();
    expect(members).toHaveLength(1);
  });

  test('HEAD is answered like GET, without the body', async () => {
    const response = await ask('HEAD', '/v1/chats');
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  test('an unchanged answer is not sent again', async () => {
    const first = await ask('GET', '/v1/rooms');
    const etag = first.headers.get('etag')!;
    expect(first.headers.get('cache-control')).toBe('private, no-cache');
    expect((await get('/v1/rooms', { 'if-none-match': etag })).statusCode).toBe(304);
    expect((await get('/v1/rooms', { 'if-none-match': 'W/"other"' })).statusCode).toBe(200);
    expect((await ask('GET', '/v1/auth/sessions')).headers.get('cache-control')).toBe('no-store');
  });

  test('long answers are compressed for clients that accept it, and compressed bodies are read', async () => {
    const { chat } = await (await post('/v1/chats', { type: 'CHAT_TYPE_GROUP' })).json();
    const body = gzipSync(JSON.stringify({ clientMessageId: 'zipped', text: 'long '.repeat(500) }));
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect((await ask('POST', `/v1/chats/${chat.id}/messages`, { headers, body })).status).toBe(200);
    const response = await ask('GET', `/v1/chats/${chat.id}/messages`);
    expect(response.headers.get('content-encoding')).toMatch(/^(gzip|br)$/);
    expect((await response.json()).messages).toHaveLength(2);
  });
});

describe('errors', () => {
  test('an unknown route is answered with 404, a wrong method with 405 and the allowed methods', async () => {
    const unknown = await ask('GET', '/v1/nothing');
    expect([unknown.status, await unknown.json()]).toEqual([404, { code: 5, message: 'Not Found', details: [] }]);
    const wrong = await ask('PUT', '/v1/chats');
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
    expect(await wrong.json()).toMatchObject({ code: 12, message: 'Method Not Allowed' });
  });

  test('a missing token and an invalid one are answered with WWW-Authenticate', async () => {
    const none = await ask('GET', '/v1/chats', { headers: { authorization: '' } });
    expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="chat"']);
    expect(await none.json()).toMatchObject({
      code: 16,
      details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'TOKEN_MISSING', domain: 'chat' }],
    });
    const wrong = await ask('GET', '/v1/chats', { headers: { authorization: 'Bearer nonsense' } });
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get('www-authenticate')).toMatch(/^Bearer realm="chat", error="invalid_token"/);
  });

  test('all fields at fault are named', async () => {
    const violations = await violationsOf(
      await post('/v1/chats', { type: 'CHAT_TYPE_PARTY', name: 7, memberIds: ['ok', 5], colour: 'red' }),
    );
    expect(violations.map(({ field }) => field).sort()).toEqual(['colour', 'member_ids[1]', 'name', 'type']);
    expect(violations.find(({ field }) => field === 'type')?.description).toContain('CHAT_TYPE_GROUP');
    const query = await violationsOf(await ask('GET', '/v1/chats?page_size=many&size=1'));
    expect(query.map(({ field }) => field).sort()).toEqual(['page_size', 'size']);
  });

  test.each([
    ['not JSON', '{"type":'],
    ['not an object', '[1]'],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
  ])('a body that is %s is refused', async (_what, body) => {
    const headers = { 'content-type': 'application/json' };
    const [violation] = await violationsOf(await ask('POST', '/v1/chats', { headers, body }));
    expect(violation?.field).toBe('body');
  });

  test('a refusal for which a retry helps has Retry-After', async () => {
    const limited = await startTestService({ RATE_LIMIT_CALLS: '1' }, { dsn: service.dsn });
    onTestFinished(() => limited.stop());
    const headers = { authorization: `Bearer ${alice.token}` };
    const answers = await Promise.all(Array.from({ length: 3 }, () => fetch(`${limited.url}/v1/chats`, { headers })));
    const refused = answers.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  });

  test('an internal error reveals only a trace id', async () => {
    const broken = await startTestService({}, { log: log.logger });
    onTestFinished(() => broken.stop());
    const { client } = await import('pg').then(({ default: pg }) => ({
      client: new pg.Client({ connectionString: broken.dsn }),
    }));
    const person = await signIn(broken.transport(), 'alice');
    await client.connect();
    await client.query('alter table chats rename to gone');
    await client.end();
    const response = await fetch(`${broken.url}/v1/chats`, { headers: { authorization: `Bearer ${person.token}` } });
    const traceId = response.headers.get('x-trace-id');
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ code: 13, message: `internal error (trace id ${traceId})` });
  });
});

describe('headers', () => {
  test('each answer has a request id and a trace id; a valid request id of the client is kept', async () => {
    const own = await ask('GET', '/v1/chats', { headers: { 'x-request-id': 'order-7' } });
    expect(own.headers.get('x-request-id')).toBe('order-7');
    expect(own.headers.get('x-trace-id')).toMatch(/^[0-9a-f]{32}$/);
    const strange = await ask('GET', '/v1/chats', { headers: { 'x-request-id': '<script>' } });
    expect(strange.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    const traced = await ask('GET', '/v1/chats', {
      headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    });
    expect(traced.headers.get('x-trace-id')).toBe('0af7651916cd43dd8448eb211c80319c');
  });

  test('a client cannot inject headers into an answer', async () => {
    const { hostname, port } = new URL(service.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        socket.end(
          'GET /v1/nothing%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: a\rSet-Cookie: a=b\r\n\r\n',
        );
      });
      let text = '';
      socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      socket.on('close', () => resolve(text)).on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer.toLowerCase()).not.toContain('\nset-cookie');
  });

  test('answers have strict security headers', async () => {
    const { headers } = await ask('GET', '/v1/chats');
    expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-powered-by')).toBeNull();
  });

  test('only pages of configured origins may call, and never with credentials', async () => {
    const preflight = (origin: string) =>
      ask('OPTIONS', '/v1/chats', {
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
      });
    const known = await preflight('https://app.example.com');
    expect(known.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(known.headers.get('access-control-allow-credentials')).toBeNull();
    const unknown = await preflight('https://evil.example.com');
    expect(unknown.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('without configured origins no page may call', async () => {
    const closed = await startTestService({}, { dsn: service.dsn });
    onTestFinished(() => closed.stop());
    const response = await fetch(`${closed.url}/v1/rooms`, { headers: { origin: 'https://app.example.com' } });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('the address of a client behind a trusted proxy is the one that the proxy names', async () => {
    await ask('GET', '/v1/rooms', { headers: { 'x-forwarded-for': '203.0.113.7', 'x-request-id': 'proxied' } });
    expect(log.lines.findLast(({ method }) => method === 'ListRooms')?.peer).toMatch(/^203\.0\.113\.7:/);
  });
});

describe('time', () => {
  test('Grpc-Timeout ends the wait with DEADLINE_EXCEEDED', async () => {
    const group = await newGroup(alice);
    const release = await holdChat(service.dsn, group);
    const add = (headers?: Record<string, string>) =>
      post(`/v1/chats/${group.id}/members`, { userIds: ['bob'] }, { headers });
    let answered = false;
    const without = add().finally(() => {
      answered = true;
    });
    const response = await add({ 'grpc-timeout': '200m' });
    expect([response.status, (await response.json()).code, answered]).toEqual([504, 4, false]);
    await release();
    await without;
  });

  test('an invalid Grpc-Timeout is refused', async () => {
    const [violation] = await violationsOf(await ask('GET', '/v1/chats', { headers: { 'grpc-timeout': 'soon' } }));
    expect(violation?.field).toBe('grpc-timeout');
  });

  test('a client that disconnects cancels its call', async () => {
    const group = await newGroup(alice);
    const release = await holdChat(service.dsn, group);
    const controller = new AbortController();
    const asked = post(`/v1/chats/${group.id}/members`, { userIds: ['bob'] }, { signal: controller.signal });
    await lockWaits(service.dsn, 1);
    controller.abort();
    await expect(asked).rejects.toThrow();
    await eventually(() => {
      const line = log.lines.findLast(({ method }) => method === 'AddMembers');
      expect(line?.code).toBe('CANCELLED');
    });
    await release();
  });
});

describe('the issuer', () => {
  test('publishes its keys and their address, as OpenID Connect providers do', async () => {
    const configuration = await fetch(`${service.url}/.well-known/openid-configuration`);
    expect(configuration.headers.get('cache-control')).toBe('public, max-age=60');
    expect(await configuration.json()).toMatchObject({
      issuer: 'chat-service',
      jwks_uri: expect.stringMatching(/\/\.well-known\/jwks\.json$/),
      id_token_signing_alg_values_supported: ['EdDSA'],
    });
    const keys = createRemoteJWKSet(new URL(`${service.url}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(alice.token, keys, { issuer: 'chat-service', audience: 'chat' });
    expect(payload.sub).toBe(alice.id);
    const { keys: published } = (await (await fetch(`${service.url}/.well-known/jwks.json`)).json()) as {
      keys: object[];
    };
    for (const key of published) expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  });
});

describe('hostile input', () => {
  test('a body that is too long is refused, compressed or not', async () => {
    const long = JSON.stringify({ clientMessageId: 'x', text: 'x'.repeat(1_100_000) });
    const plain = await post('/v1/chats', long);
    expect([plain.status, (await plain.json()).code]).toEqual([413, 8]);
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const zipped = await ask('POST', '/v1/chats', { headers, body: gzipSync('x'.repeat(50_000_000)) });
    expect(zipped.status).toBe(413);
    const unknown = await ask('POST', '/v1/chats', { headers: { 'content-encoding': 'lzma' }, body: 'x' });
    expect(unknown.status).toBe(415);
  });

  test('deep nesting is refused and does not affect other requests', async () => {
    const deep = `${'['.repeat(400_000)}${']'.repeat(400_000)}`;
    for (const body of [deep, `{"name":${deep}}`, `{"memberIds":${deep}}`, '{"a":'.repeat(100_000)]) {
      expect((await post('/v1/chats', body)).status).toBe(400);
    }
    expect((await ask('GET', '/v1/chats')).status).toBe(200);
  });

  test('names of prototypes are unknown fields', async () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const body = `{"type":"CHAT_TYPE_GROUP","${name}":{"polluted":true}}`;
      const violations = await violationsOf(await post('/v1/chats', body));
      expect(violations.map(({ field }) => field)).toEqual([name]);
      const inQuery = await violationsOf(await ask('GET', `/v1/chats?${name}=1&${name}.polluted=1`));
      expect(inQuery.length).toBeGreaterThan(0);
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test.each([
    '/v1/chats/..%2f..%2fetc%2fpasswd',
    '/v1/chats/%2e%2e/%2e%2e/etc/passwd',
    '/docs/..%2f..%2f..%2fpackage.json',
    '/docs/%2e%2e/%2e%2e/package.json',
    '/v1/../../../etc/passwd',
    '/v1/chats/%00',
    '/v1/chats/%',
    '//etc/passwd',
  ])('%s leads nowhere', async (path) => {
    const { statusCode: status } = await get(path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });
});

describe('health', () => {
  test('is reported over HTTP, and the service is not ready once it drains', async () => {
    const own = await startTestService({}, { dsn: service.dsn });
    onTestFinished(() => own.stop());
    expect((await fetch(`${own.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${own.url}/readyz`)).status).toBe(200);
    const person = await signIn(own.transport(), 'bob');
    const group = await newGroup(person);
    const release = await holdChat(own.dsn, group);
    const underWay = person.chat.addMembers({ chatId: group.id, userIds: ['x'] });
    await lockWaits(own.dsn, 1);
    const stopped = own.app.stop();
    await eventually(async () => expect((await fetch(`${own.url}/readyz`)).status).toBe(503));
    const refused = await fetch(`${own.url}/v1/chats`, { headers: { authorization: `Bearer ${person.token}` } });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    await release();
    await underWay;
    await stopped;
  });
});
