import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/transports/grpc-transport.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, personOf, say } from '../../testing/clients/person.ts';
import { restTransport } from '../../testing/clients/rest-transport.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { ProcessListing } from '../../testing/collectors/process-listing.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChildService, newDataDir } from '../../testing/services/child-service.ts';
import { Secrets } from '../../testing/services/secrets.ts';

interface Account {
  username: string;
  password: string;
  accessToken: string;
}

/** Signs in, and fails to sign in, in every way, each time with secrets. */
async function useAccounts({ auth }: Transport, secrets: Secrets): Promise<Account> {
  const failing = async (call: Promise<unknown>) => expect(await call.catch((error) => error)).toBeInstanceOf(Error);
  const guest = await auth.guest({ name: `guest-${randomUUID().slice(0, 8)}` }, {});
  secrets.addToken("a guest's token", guest.accessToken);
  const username = `user-${randomUUID().slice(0, 8)}`;
  const password = secrets.make('a password');
  const registered = await auth.register({ username, password, name: '' }, {});
  secrets.addToken("Register's token", registered.accessToken);
  secrets.add("Register's refresh token", registered.refreshToken);
  await failing(
    auth.register({ username, password: secrets.make('a password for a name that is taken'), name: '' }, {}),
  );
  await failing(auth.register({ username: 'x', password: secrets.make('a password for a bad name'), name: '' }, {}));
  await failing(
    auth.register({ username: 'other', password: secrets.make('a long password').repeat(9), name: '' }, {}),
  );
  await failing(auth.login({ username, password: secrets.make('a wrong password') }, {}));
  await failing(auth.login({ username: secrets.make('a password given as the name'), password: 'x' }, {}));
  const loggedIn = await auth.login({ username, password }, {});
  secrets.addToken("Login's token", loggedIn.accessToken);
  secrets.add("Login's refresh token", loggedIn.refreshToken);
  const token = loggedIn.accessToken;
  const refreshed = await auth.refresh({ refreshToken: registered.refreshToken }, {});
  secrets.addToken("Refresh's token", refreshed.accessToken);
  secrets.add('the next refresh token', refreshed.refreshToken);
  await failing(auth.refresh({ refreshToken: registered.refreshToken }, {}));
  await failing(auth.refresh({ refreshToken: secrets.make('an unknown refresh token') }, {}));
  await failing(auth.refresh({ refreshToken: secrets.make('a long refresh token').repeat(99) }, {}));
  const next = secrets.make('a new password');
  const wrong = secrets.make('a wrong present password');
  await failing(auth.changePassword({ currentPassword: wrong, newPassword: next }, { token }));
  await auth.changePassword({ currentPassword: password, newPassword: next }, { token });
  await failing(auth.getMe({}, { token: secrets.make('a token that is none') }));
  await failing(auth.getMe({}, { token: `${token}x` }));
  return { username, password: next, accessToken: token };
}

/** Sends invalid HTTP requests with secrets in wrong places. */
async function sendNonsense(url: string, secrets: Secrets): Promise<void> {
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(url + path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
  const answers = [
    await post('/v1/auth/login', `{"username": "a", "password": ${secrets.make('a password without quotes')}}`),
    await post('/v1/auth/login', `{"username": "a", "password": {"is": "${secrets.make('a password in an object')}"}}`),
    await post('/v1/auth/login', `{"username": "a", "passwort": "${secrets.make('a password in a wrong field')}"}`),
    await post('/v1/auth/login', `username=a&password=${secrets.make('a password of a form')}`, {
      'content-type': 'application/x-www-form-urlencoded',
    }),
    await post(`/v1/auth/login?username=a&password=${secrets.make('a password in the query')}`, ''),
    await post(`/v1/auth/login/${secrets.make('a password in the path')}`, '{}'),
    await post('/v1/auth/login', `"${secrets.make('a password in far too much').padEnd(9_000_000)}"`),
    await fetch(`${url}/v1/auth/me?access_token=${secrets.make('a token in the query')}`),
    await fetch(`${url}/v1/auth/sessions/${secrets.make('a token in a path')}`, { method: 'DELETE' }),
    await fetch(`${url}/v1/auth/me`, { headers: { cookie: `session=${secrets.make('a cookie')}` } }),
    await fetch(`${url}/v1/auth/me`, { headers: { authorization: `Basic ${secrets.make('basic credentials')}` } }),
    await fetch(`${url}/v1/auth/me`, {
      headers: { 'grpc-metadata-authorization': secrets.make('a token as metadata') },
    }),
    await fetch(`${url}/v1/auth/me`, { headers: { traceparent: secrets.make('a token as a trace id') } }),
  ];
  for (const answer of answers) {
    expect(answer.status, answer.url).toBeGreaterThanOrEqual(400);
    await answer.body?.cancel();
  }
}

/** Opens streams with invalid tokens. */
async function useStream(transport: Transport, { username, accessToken }: Account, secrets: Secrets): Promise<void> {
  const person = personOf(transport, { id: username, name: username, token: accessToken });
  const stream = await person.connect();
  await stream.ask(commands.authenticate(secrets.make('a token on a stream')));
  stream.close();
  const stranger = personOf(transport, { ...person, token: secrets.make("a stream's token") }).open();
  expect(await stranger.ended).toBeInstanceOf(Error);
}

/** Makes the database refuse every row for an unexpected reason. Its errors then contain the row. */
async function refuseRows(dsn: string): Promise<void> {
  const client = new pg.Client({ connectionString: dsn });
  await client.connect();
  for (const table of ['auth.accounts', 'auth.sessions', 'messages'])
    await client.query(`alter table ${table} add constraint none check (false) not valid`);
  await client.end();
}

/** Returns the DSN of the bundled PostgreSQL of a data folder. */
async function readAccess(dataDir: string): Promise<{ password: string; dsn: string }> {
  const read = (file: string) => readFile(join(dataDir, 'postgres', file), 'utf8');
  const password = (await read('superuser.password')).trim();
  const port = (await read('postmaster.pid')).split('\n')[3];
  return { password, dsn: `postgres://postgres:${password}@127.0.0.1:${port}/chat` };
}

test('passwords and tokens are neither in the logs nor in process listings, at the lowest log level and in all failures', async () => {
  const secrets = new Secrets();
  const dataDir = await newDataDir();
  const service = ChildService.spawn({
    DATA_DIR: dataDir,
    LOG_LEVEL: 'trace',
    TRACING_URL: `http://collector:${secrets.make("the collector's password")}@127.0.0.1:9`,
  });
  const processes = new ProcessListing(service.pid);
  await service.ready();
  const { password, dsn } = await readAccess(dataDir);
  secrets.add("the database's password", password);
  const grpc = grpcTransport(service.address);
  onTestFinished(() => grpc.close());
  const gateway = await ChildService.start({ LOG_LEVEL: 'trace', GATEWAY_UPSTREAMS: service.address }, 'gateway');
  const rest = restTransport(service.url, grpc);
  const restApart = restTransport(gateway.url, grpc);

  for (const { url } of [service, gateway]) await sendNonsense(url, secrets);
  for (const transport of [rest, restApart]) await useAccounts(transport, secrets);
  const account = await useAccounts(grpc, secrets);
  await useStream(grpc, account, secrets);
  const writer = personOf(grpc, { id: account.username, name: account.username, token: account.accessToken });
  const group = await newGroup(writer);
  await refuseRows(dsn);
  for (const { auth } of [grpc, rest, restApart]) {
    const made = auth.register(
      { username: 'another', password: secrets.make('a password of no account'), name: '' },
      {},
    );
    await expect(made).rejects.toMatchObject({ code: 'INTERNAL' });
    const { username, password: known } = account;
    await expect(auth.login({ username, password: known }, {})).rejects.toMatchObject({ code: 'INTERNAL' });
  }
  const text = `two lines\n${secrets.make('what a user writes')}`;
  // The constraint is none that a message can break by itself, so the message may be stored later.
  await expect(say(writer, group, text)).rejects.toMatchObject({ code: 'UNAVAILABLE' });

  await eventually(() => expect(service.stdout.match(/"a call failed"/g)?.length).toBeGreaterThanOrEqual(6));
  await eventually(() => expect(service.stdout).toContain('spans could not be sent'));
  await eventually(() => expect(service.stdout).toContain('violates check constraint'));
  for (const part of [gateway, service]) {
    part.signal('SIGTERM');
    await part.exited;
    expect(secrets.in(part.stderr)).toEqual([]);
    expect(secrets.in(part.stdout)).toEqual([]);
  }
  expect([...processes.commandLines].join('\n')).toMatch(/bin\/initdb.*bin\/postgres/s);
  expect(secrets.in([...processes.commandLines].join('\n'))).toEqual([]);
  expect(secrets.in([...processes.environments].join('\n'))).toEqual([]);
  expect(service.stdout).not.toMatch(/argon2id|BEGIN [A-Z ]*PRIVATE KEY/);
});
