import { request as send } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  askConsole,
  type ConsoleService,
  newAdministrator,
  startConsole,
} from '../../testing/services/console-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

let admin: ConsoleService;
/** Every route of the console's rooms, with values in place of its parameters. */
let routes: { method: string; path: string }[];
beforeAll(async () => {
  admin = await startConsole();
  const { error } = (await (await fetch(`${admin.url}/nowhere`)).json()) as { error: string };
  routes = [...error.matchAll(/(GET|POST) \/admin\/api\/([\w/:-]+)/g)]
    .map(([, method = '', path = '']) => ({ method, path: path.replace(/:\w+/g, 'x') }))
    .filter(({ path }) => !['sign-in', 'refresh'].includes(path));
});
afterAll(() => admin.service.stop());

const statusOf = async (token: string | undefined, headers = {}) => {
  const answers = await Promise.all(
    routes.map(async ({ method, path }) => {
      const body = method === 'POST' ? {} : undefined;
      const { status } = await askConsole(admin.url, method, path, token, body, headers);
      return [`${method} ${path}`, status];
    }),
  );
  expect(answers.length).toBeGreaterThan(1);
  return Object.fromEntries(answers);
};
const all = (status: number) => Object.fromEntries(routes.map(({ method, path }) => [`${method} ${path}`, status]));

test('every room refuses a user without the role admin', async () => {
  const { token } = await issueToken(admin.service.dsn, { userId: 'alice', roles: ['user', 'service'] });
  expect(await statusOf(token)).toEqual(all(403));
});

test.each([
  ['no token', undefined],
  ['a token that is none', 'nonsense'],
])('every room refuses %s', async (_, token) => {
  expect(await statusOf(token)).toEqual(all(401));
});

test('every room refuses a token of another issuer, and one that has expired', async () => {
  const subject = { userId: 'alice', roles: ['admin' as const] };
  for (const options of [{ issuer: 'another' }, { ttlMs: -120_000 }]) {
    const { token } = await issueToken(admin.service.dsn, subject, options);
    expect(await statusOf(token)).toEqual(all(401));
  }
});

test.each([
  [{ origin: 'https://example.com' }],
  [{ 'sec-fetch-site': 'cross-site' }],
  [{ 'sec-fetch-site': 'same-site' }],
])('every room refuses another web page, even with a token: %j', async (headers) => {
  expect(await statusOf(admin.token, headers)).toEqual(all(403));
});

test('a name that only resolves to loopback is refused', async () => {
  const headers = { host: 'rebound.example.com', authorization: `Bearer ${admin.token}` };
  const status = await new Promise((resolve) => {
    send(`${admin.url}/admin/api/me`, { headers }, (answer) => resolve(answer.resume().statusCode)).end();
  });
  expect(status).toBe(403);
});

test('an administrator signs in by name and password, and the end of the session ends the access', async () => {
  const account = await newAdministrator(admin.service);
  const wrong = await askConsole(admin.url, 'POST', 'sign-in', undefined, { ...account, password: 'wrong' });
  expect(wrong.status).toBe(401);
  const answer = await askConsole(admin.url, 'POST', 'sign-in', undefined, account);
  const { accessToken, refreshToken } = (await answer.json()) as Record<string, string>;
  const me = () => askConsole(admin.url, 'GET', 'me', accessToken);
  expect(await (await me()).json()).toMatchObject({ name: 'The operator' });
  const again = await askConsole(admin.url, 'POST', 'refresh', undefined, { refreshToken });
  expect(again.status).toBe(200);
  await admin.service.transport().auth.logout({}, { token: accessToken! });
  expect((await me()).status).toBe(401);
});

test('faults of a body are named together', async () => {
  const answer = await askConsole(admin.url, 'POST', 'sign-in', undefined, { username: 1, pass: 'x' });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({
    fields: [
      { field: 'pass' },
      { field: 'username', description: 'must be a text' },
      { field: 'password', description: 'is required' },
    ],
  });
});
