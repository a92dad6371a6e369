import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Chat } from '../../../pkg/api/chat/v1/chat.ts';
import { openEvents } from '../../testing/clients/event-stream.ts';
import { newGroup, type Person, say, signIn } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

let service: TestService;
let alice: Person;
let group: Chat;
beforeAll(async () => {
  service = await startTestService({ KEEPALIVE_MS: '1000' });
  alice = await signIn(service.transport(), 'alice');
  group = await newGroup(alice);
  for (const text of ['two', 'three']) await say(alice, group, text);
});
afterAll(() => service.stop());

const path = (query = '', chatId = group.id) => `/v1/chats/${chatId}/events${query}`;

const read = (query = '', headers: Record<string, string> = {}) =>
  openEvents(service.url + path(query), { authorization: `Bearer ${alice.token}`, ...headers });

function get(target: string, headers: Record<string, string> = {}, method = 'GET') {
  return fetch(service.url + target, { method, headers: { authorization: `Bearer ${alice.token}`, ...headers } });
}

interface Failure {
  code: number;
  details: { '@type': string; reason?: string; fieldViolations?: { field: string }[] }[];
}

async function toCallFailure(response: Response | Promise<Response>) {
  const answer = await response;
  const { code, details } = (await answer.json()) as Failure;
  const find = (type: string) => details.find((detail) => detail['@type'].endsWith(type));
  const fields = find('BadRequest')?.fieldViolations?.map(({ field }) => field) ?? [];
  return { status: answer.status, code, reason: find('ErrorInfo')?.reason, fields };
}

test('the ids of events are their numbers with the epoch, and the events begin after the requested one', async () => {
  const events = await read('?after_seq=1');
  await events.next('caught_up');
  await say(alice, group, 'four');
  await events.until(() => events.of('message').length >= 3);
  expect(events.status).toBe(200);
  expect(events.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(events.headers.get('cache-control')).toBe('no-store, no-transform');
  expect(events.all[0]).toMatchObject({ event: 'welcome', data: { user: { id: alice.id } } });
  expect(events.all[1]).toMatchObject({
    event: 'subscribed',
    id: expect.stringMatching(/^1@\w+$/),
    data: { chatId: group.id, afterSeq: '1' },
  });
  expect(events.of('message').map(({ id, data }) => [id?.split('@')[0], data.seq, data.text])).toEqual([
    ['2', '2', 'two'],
    ['3', '3', 'three'],
    ['4', '4', 'four'],
  ]);
  expect(events.of('caught_up')[0]).toMatchObject({ id: expect.stringMatching(/^3@/) });
});

test('without a number the events begin with the next one', async () => {
  const events = await read();
  await events.next('caught_up');
  expect(events.of('message')).toEqual([]);
  const { seq } = await say(alice, group, 'next');
  expect((await events.next('message')).id).toMatch(new RegExp(`^${seq}@\\w+$`));
});

test('Last-Event-ID, which a browser sends when it reconnects, takes precedence over after_seq', async () => {
  const events = await read('?after_seq=0', { 'last-event-id': '2' });
  expect((await events.next('message')).data.text).toBe('three');
  const empty = await read('?after_seq=1', { 'last-event-id': '' });
  expect((await empty.next('message')).data.text).toBe('two');
});

test('the epoch of Last-Event-ID takes precedence over that of the address, which stays the same', async () => {
  const first = await read('?after_seq=0');
  const { id } = await first.next('message');
  const resumed = await read('?after_seq=0&epoch=over', { 'last-event-id': id! });
  expect((await resumed.next('message')).id).toBe(`2@${id!.split('@')[1]}`);
  expect(resumed.of('reset')).toEqual([]);

  const [, epoch] = id!.split('@');
  const led = await read(`?after_seq=0&epoch=${epoch}`, { 'last-event-id': '2@over' });
  expect(await led.next('reset')).toMatchObject({ id: `0@${epoch}`, data: { fromSeq: '0', epoch } });
  expect((await led.next('message')).id).toBe(id);
});

test('afterSeq is accepted in camel case too', async () => {
  const events = await read('?afterSeq=1');
  expect((await events.next('message')).data.text).toBe('two');
});

describe('a request is refused like any REST request', () => {
  test.each(['-1', 'x', '1.5', '1e3', '', ' 1', '99999999999999999999'])('if its number is %j', async (number) => {
    const refused = { status: 400, code: 3, reason: 'INVALID_FIELDS' };
    const query = `?after_seq=${encodeURIComponent(number)}`;
    expect(await toCallFailure(get(path(query)))).toEqual({ ...refused, fields: ['after_seq'] });
    if (number === '' || number !== number.trim()) return;
    expect(await toCallFailure(get(path(), { 'last-event-id': number }))).toEqual({
      ...refused,
      fields: ['last-event-id'],
    });
  });

  test('if its number is given twice, or it has an unknown parameter', async () => {
    const refused = { status: 400, code: 3, reason: 'INVALID_FIELDS' };
    expect(await toCallFailure(get(path('?after_seq=1&after_seq=2')))).toMatchObject({
      ...refused,
      fields: ['after_seq'],
    });
    expect(await toCallFailure(get(path('?after_seq=1&afterSeq=2')))).toMatchObject({
      ...refused,
      fields: ['after_seq'],
    });
    expect(await toCallFailure(get(path('?after=1')))).toEqual({ ...refused, fields: ['after'] });
    expect(await toCallFailure(get(path(`?access_token=${alice.token}`)))).toEqual({
      ...refused,
      fields: ['access_token'],
    });
  });

  test('if its number is beyond the last one of the chat', async () => {
    expect(await toCallFailure(get(path('?after_seq=1000')))).toMatchObject({
      status: 400,
      code: 11,
      reason: 'CURSOR_IN_FUTURE',
    });
  });

  test('without a token, or with an expired or invalid one', async () => {
    const { token: expired } = await issueToken(service.dsn, { userId: alice.id }, { ttlMs: -60_000 });
    const bare = await fetch(service.url + path());
    expect(bare.headers.get('www-authenticate')).toBe('Bearer realm="chat"');
    expect(await toCallFailure(bare)).toMatchObject({ status: 401, code: 16, reason: 'TOKEN_MISSING' });
    const old = await get(path(), { authorization: `Bearer ${expired}` });
    expect(old.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(await toCallFailure(old)).toMatchObject({ status: 401, reason: 'TOKEN_EXPIRED' });
    expect(await toCallFailure(get(path(), { authorization: 'Bearer nonsense' }))).toMatchObject({ status: 401 });
  });

  test('for an unknown chat, for a chat of others, and for a banned user', async () => {
    const missing = { status: 404, code: 5, reason: 'CHAT_NOT_FOUND' };
    expect(await toCallFailure(get(path('', crypto.randomUUID())))).toMatchObject(missing);
    const eve = await signIn(service.transport(), 'eve');
    const asEve = { authorization: `Bearer ${eve.token}` };
    expect(await toCallFailure(get(path(), asEve))).toMatchObject(missing);
    const { token } = await issueToken(service.dsn, { userId: 'root', roles: ['admin'] });
    await service.transport().chat.banUser({ userId: eve.id }, { token });
    expect(await toCallFailure(get(path(), asEve))).toMatchObject({ status: 403, code: 7, reason: 'BANNED' });
  });
});

describe('the cookie with a token', () => {
  const fetchWith = (target: string, cookie: string, init: RequestInit = {}) =>
    fetch(service.url + target, { ...init, headers: { cookie, 'content-type': 'application/json' } });

  test('authenticates the request, also among other cookies', async () => {
    const events = await openEvents(service.url + path(), { cookie: `theme=dark; chat_token=${alice.token}; x=y` });
    expect(events.status).toBe(200);
    expect((await events.next('welcome')).data.user).toMatchObject({ id: alice.id });
  });

  test('is ignored if there is an authorization header', async () => {
    const headers = { cookie: `chat_token=${alice.token}`, authorization: 'Bearer nonsense' };
    expect((await fetch(service.url + path(), { headers })).status).toBe(401);
  });

  test('is ignored by all other routes', async () => {
    const cookie = `chat_token=${alice.token}`;
    expect((await fetchWith('/v1/chats', cookie)).status).toBe(401);
    const body = JSON.stringify({ text: 'forged', clientMessageId: 'forged' });
    expect((await fetchWith(`/v1/chats/${group.id}/messages`, cookie, { method: 'POST', body })).status).toBe(401);
    expect((await fetchWith(path(), cookie, { method: 'POST', body: '{}' })).status).toBe(404);
  });
});

test('pages of other origins cannot read the events', async () => {
  const events = await read('', { origin: 'https://evil.example' });
  expect(events.headers.get('access-control-allow-origin')).toBeNull();
});

test('a silent stream sends keep-alive comments', async () => {
  const events = await read();
  await events.next('caught_up');
  await events.until(() => events.comments.length >= 2);
  expect(new Set(events.comments)).toEqual(new Set([' keep-alive']));
});

test('compression does not delay events', async () => {
  const events = await read('', { 'accept-encoding': 'gzip, br' });
  expect(events.headers.get('content-encoding')).toBeNull();
  await say(alice, group, 'at once');
  expect((await events.next('message')).data.text).toBe('at once');
});

test('a HEAD request gets only the headers, and its connection serves the next request', async () => {
  await eventually(() => expect(service.app.sessions.size).toBe(0));
  const { port, hostname } = new URL(service.url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  let answers = '';
  socket.setEncoding('utf8').on('data', (text: string) => (answers += text));
  for (const chatId of [group.id, group.id, crypto.randomUUID()]) {
    socket.write(`HEAD ${path('', chatId)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${alice.token}\r\n\r\n`);
  }
  await eventually(() => expect(answers.match(/HTTP\/1\.1 \d+/g)).toHaveLength(3));
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 404']);
  expect(answers.match(/^Content-Type: .*$/gm)?.[0]).toBe('Content-Type: text/event-stream; charset=utf-8');
  expect(answers).not.toContain('event:');
  await eventually(() => expect(service.app.sessions.size).toBe(0));
});

test('a user is online while they read server-sent events', async () => {
  const bob = await signIn(service.transport(), 'bob');
  const shared = await newGroup(alice, bob);
  const online = async () =>
    (await alice.chat.listOnlineUsers({ chatId: shared.id })).users.some(({ id }) => id === bob.id);
  const events = await openEvents(service.url + path('', shared.id), { authorization: `Bearer ${bob.token}` });
  await events.next('caught_up');
  expect(await online()).toBe(true);
  events.close();
  await eventually(async () => expect(await online()).toBe(false));
});

test('a removed reader gets chat_removed, and the answer ends', async () => {
  const bob = await signIn(service.transport(), 'bob');
  const shared = await newGroup(alice, bob);
  const events = await openEvents(service.url + path('', shared.id), { authorization: `Bearer ${bob.token}` });
  await events.next('caught_up');
  await alice.chat.removeMember({ chatId: shared.id, userId: bob.id });
  await events.ended;
  expect(events.all.at(-1)).toMatchObject({
    event: 'chat_removed',
    data: { chatId: shared.id, reason: 'REMOVAL_REASON_REMOVED' },
  });
});

test('a reader whose token expires gets closing, and the answer ends', async () => {
  const { token } = await issueToken(service.dsn, { userId: alice.id }, { ttlMs: 2_000 });
  const events = await read('', { authorization: `Bearer ${token}` });
  await events.ended;
  expect(events.all.at(-1)).not.toHaveProperty('retry');
  expect(events.all.at(-1)).toMatchObject({ event: 'closing', data: { reason: 'CLOSE_REASON_TOKEN_EXPIRED' } });
});

test('a service that is stopped sends a retry time and ends the answer', async () => {
  const stopping = await startTestService({ RECONNECT_SPREAD_MS: '5000' });
  const bob = await signIn(stopping.transport(), 'bob');
  const own = await newGroup(bob);
  const events = await openEvents(stopping.url + path('', own.id), { authorization: `Bearer ${bob.token}` });
  await events.next('caught_up');
  await stopping.stop();
  await events.ended;
  const last = events.all.at(-1)!;
  expect(last).toMatchObject({ event: 'closing', data: { reason: 'CLOSE_REASON_DRAINING' } });
  expect(last.retry).toBe(String(Math.max(1_000, last.data.retryAfterMs)));
});
