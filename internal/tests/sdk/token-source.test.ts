import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import {
  account,
  ChatClient,
  type ConnectionState,
  refreshToken,
  type TokenSource,
  type Transport,
} from '../../../pkg/chat-client/index.ts';
import { uniqueName } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ AUTH_TOKEN_TTL_SECONDS: '2' });
});
afterAll(() => service.stop());

const { signal } = new AbortController();

async function register(at = service) {
  const [username, password] = [uniqueName('user'), randomUUID()];
  return { username, password, ...(await at.transport().auth.register({ username, password }, {})) };
}

/** Creates a client, and records its states and its calls of the auth service. */
function newClient(token: TokenSource, at = service) {
  const real = grpcTransport(at.address);
  const calls: string[] = [];
  const note = <Name extends 'login' | 'refresh'>(name: Name): Transport['auth'][Name] =>
    ((request: never, options: never) => {
      calls.push(name);
      return real.auth[name](request, options);
    }) as never;
  const transport: Transport = { ...real, auth: { ...real.auth, login: note('login'), refresh: note('refresh') } };
  const client = new ChatClient({ transport, token });
  const states: ConnectionState[] = [];
  client.on('state', (state) => states.push(state));
  onTestFinished(() => client.close());
  return { client, calls, states };
}

const endSession = ({ accessToken, sessionId }: { accessToken: string; sessionId: string }) =>
  service.transport().auth.revokeSession({ sessionId }, { token: accessToken });

test('an account logs in once, and refreshes its session without reconnecting', async () => {
  // The client renews long before its tokens expire, so that a busy machine has time for it.
  const lasting = await startTestService({ AUTH_TOKEN_TTL_SECONDS: '12' });
  onTestFinished(() => lasting.stop());
  const { username, password, userId } = await register(lasting);
  const source = account(username.toUpperCase(), password);
  const hasty: TokenSource = async (...args) => ({
    ...(await source(...args)),
    expiresAt: new Date(Date.now() + 1_000),
  });
  const { client, calls, states } = newClient(hasty, lasting);
  expect(await client.connect()).toMatchObject({ id: userId });
  await eventually(() => expect(calls.filter((name) => name === 'refresh').length).toBeGreaterThanOrEqual(3));
  const room = await client.joinRoom(uniqueName('room'));
  await client.send(room.id, 'still here');
  expect(calls.filter((name) => name === 'login')).toHaveLength(1);
  expect(states.map(({ kind }) => kind)).toEqual(['connecting', 'online']);
});

test('an account logs in again when its session has ended', async () => {
  const { username, password, accessToken, sessionId: first } = await register();
  const { client, calls, states } = newClient(account(username, password));
  await client.connect();
  const { sessions } = await service.transport().auth.listSessions({}, { token: accessToken });
  const { id: sessionId } = sessions.find(({ id }) => id !== first)!;
  await endSession({ accessToken, sessionId });
  await eventually(() => expect(calls.filter((name) => name === 'login')).toHaveLength(2));
  await eventually(() => expect(states.at(-1)?.kind).toBe('online'));
  expect(calls.slice(0, 3)).toEqual(['login', 'refresh', 'login']);
});

test('wrong credentials close the client after one attempt', async () => {
  const { username } = await register();
  const { client, calls, states } = newClient(account(username, 'not the password'));
  await expect(client.connect()).rejects.toMatchObject({ code: 'UNAUTHENTICATED', reason: 'WRONG_CREDENTIALS' });
  expect(calls).toEqual(['login']);
  expect(states.at(-1)).toMatchObject({ kind: 'closed', error: { reason: 'WRONG_CREDENTIALS' } });
});

test('a client closes when its session has ended and its password was changed elsewhere', async () => {
  const { username, password, accessToken } = await register();
  const { client, states } = newClient(account(username, password));
  await client.connect();
  const change = { currentPassword: password, newPassword: randomUUID() };
  await service.transport().auth.changePassword(change, { token: accessToken });
  await eventually(() =>
    expect(states.at(-1)).toMatchObject({ kind: 'closed', error: { reason: 'WRONG_CREDENTIALS' } }),
  );
  await expect(client.send('any', 'text')).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('clients that share an account share its session, also when they refresh at the same time', async () => {
  const { username, password } = await register();
  const { auth } = service.transport();
  const source = account(username, password);
  const tokens = await Promise.all(Array.from({ length: 5 }, () => source(auth, signal)));
  expect(new Set(tokens.map(({ token }) => token)).size).toBe(5);
  const me = await Promise.all(tokens.map(({ token }) => auth.getMe({}, { token })));
  expect(new Set(me.map(({ sessionId }) => sessionId)).size).toBe(1);
});

test('a stored session continues, and the application gets each new refresh token to store', async () => {
  const stored = await register();
  const kept: string[] = [];
  const { client, calls } = newClient(
    refreshToken(stored.refreshToken, async (next) => {
      kept.push(next);
    }),
  );
  expect(await client.connect()).toMatchObject({ id: stored.userId });
  await eventually(() => expect(kept.length).toBeGreaterThanOrEqual(2));
  await client.close();
  expect(calls).toEqual(kept.map(() => 'refresh'));
  const later = newClient(refreshToken(kept.at(-1)!, () => {}));
  expect(await later.client.connect()).toMatchObject({ id: stored.userId });
});

test('a new access token is not used before the new refresh token has been stored', async () => {
  const { refreshToken: stored } = await register();
  const [asked, kept] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const source = refreshToken(stored, () => {
    asked.resolve();
    return kept.promise;
  });
  let given = false;
  const token = source(service.transport().auth, signal).then(() => {
    given = true;
  });
  await asked.promise;
  await service.transport().auth.getKeySet({}, {});
  expect(given).toBe(false);
  kept.resolve();
  await token;
});

test('a stored session that has ended closes the client', async () => {
  const stored = await register();
  await endSession(stored);
  const { client, calls } = newClient(refreshToken(stored.refreshToken, () => {}));
  await expect(client.connect()).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_INVALID' });
  expect(calls).toEqual(['refresh']);
});

test('a stored refresh token that was used before closes the client', async () => {
  const stored = await register();
  await service.transport().auth.refresh({ refreshToken: stored.refreshToken }, {});
  const { client } = newClient(refreshToken(stored.refreshToken, () => {}));
  await expect(client.connect()).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_REUSED' });
});
