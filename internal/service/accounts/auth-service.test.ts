import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { JoseSigningKeys } from '../../client/auth/jose-signing-keys.ts';
import { JoseTokenIssuer } from '../../client/auth/jose-token-issuer.ts';
import { JoseTokenVerifier } from '../../client/auth/jose-token-verifier.ts';
import type { Principal } from '../../model/principal.ts';
import { MemoryRateLimiter } from '../../ratelimiter/memory-rate-limiter.ts';
import { PostgresAccountRepository } from '../../repository/postgres/accounts/postgres-account-repository.ts';
import { PostgresRevocationSource } from '../../repository/postgres/accounts/postgres-revocation-source.ts';
import { PostgresSigningKeyRepository } from '../../repository/postgres/accounts/postgres-signing-key-repository.ts';
import { Argon2PasswordHasher } from '../../security/argon2-password-hasher.ts';
import type { PasswordHasher } from '../../security/password-hasher.ts';
import { ZxcvbnPasswordPolicy } from '../../security/zxcvbn-password-policy.ts';
import { lockWaits } from '../../testing/faults/row-lock.ts';
import { openTestStorage, type TestStorage } from '../../testing/services/test-storage.ts';
import { AuthService, type AuthServiceOptions, type SignedIn } from './auth-service.ts';

const tokens = { issuer: 'issuer', audience: 'chat', ttlMs: 60_000 };
const device = { userAgent: 'test/1', address: '203.0.113.7' };
const password = 'correct horse battery staple';

let storage: TestStorage;
let accounts: PostgresAccountRepository;
let revocations: PostgresRevocationSource;
let verifier: JoseTokenVerifier;
let enforced: number;
let verified: string[];

/** Records the digests with which passwords are compared. */
class NotedHasher extends Argon2PasswordHasher {
  constructor() {
    super({ cost: { memory: 64, passes: 1, parallelism: 1 }, maxAtOnce: 100 });
  }

  override verify(given: string, hash: string): Promise<boolean> {
    verified.push(hash);
    return super.verify(given, hash);
  }
}

async function newService(
  options: Partial<AuthServiceOptions> = {},
  failures = 0,
  hasher: PasswordHasher = new NotedHasher(),
): Promise<AuthService> {
  const keys = await JoseSigningKeys.open(new PostgresSigningKeyRepository(storage.database));
  verifier = new JoseTokenVerifier(keys.find, { ...tokens, algorithms: ['EdDSA'] });
  return new AuthService(
    {
      accounts,
      issuer: new JoseTokenIssuer(keys, tokens),
      keys,
      hasher,
      policy: new ZxcvbnPasswordPolicy(),
      limiter: new MemoryRateLimiter({
        named: {
          Password: { points: failures, seconds: 60 },
          PasswordOfName: { points: 2 * failures, seconds: 60 },
        },
        others: { points: 0, seconds: 1 },
      }),
      revocations,
      onSessionsEnded: async () => {
        enforced += 1;
      },
    },
    {
      guests: true,
      registration: true,
      refreshTtlMs: 3_600_000,
      issuer: 'issuer',
      publicUrl: 'https://chat.example.com',
      ...options,
    },
  );
}

let auth: AuthService;
beforeAll(async () => {
  storage = await openTestStorage({ poolSize: 20 });
  accounts = new PostgresAccountRepository(storage.database);
  revocations = new PostgresRevocationSource(storage.database, { tokenTtlMs: 60_000 });
  enforced = 0;
  verified = [];
  auth = await newService();
});
afterAll(() => storage.close());

let lastUser = 0;
/** Registers a new account. */
function register(service = auth): Promise<SignedIn> {
  lastUser += 1;
  return service.register({ username: `User${lastUser}`, password, name: '' }, device);
}

const principalOf = ({ token }: { token: string }): Promise<Principal> => verifier.verify(token);

async function setDigest(userId: string, digest: string): Promise<void> {
  await storage.database.pool.query('update auth.accounts set password_hash = $2 where user_id = $1', [userId, digest]);
}

/** Changes an account's row in an open transaction. Others that change the row wait until `commit` is called. */
async function changeUncommitted(statement: string, values: unknown[]) {
  const client = await storage.connect();
  await client.query('begin');
  await client.query(statement, values);
  return { client, commit: () => client.query('commit') };
}

async function endedSessions(): Promise<string[]> {
  return (await revocations.listRevocations()).sessionIds;
}

describe('registering', () => {
  test('signs in a user whose id is the user name in lower case', async () => {
    const signedIn = await auth.register({ username: 'Carol', password, name: 'Carol C.' }, device);
    expect(await principalOf(signedIn)).toMatchObject({
      userId: 'carol',
      name: 'Carol C.',
      roles: ['user'],
      sessionId: signedIn.sessionId,
    });
  });

  test('only one of many concurrent registrations gets a name, whatever its case', async () => {
    const attempts = ['dave', 'DAVE', 'Dave', 'dAve'].map((username) =>
      auth.register({ username, password, name: '' }, device),
    );
    const results = await Promise.allSettled(attempts);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ reason: 'USERNAME_TAKEN' });
    }
  });

  test('a password that is easy to guess is refused with the reason', async () => {
    const registered = auth.register({ username: 'erin', password: 'password1', name: '' }, device);
    await expect(registered).rejects.toMatchObject({
      reason: 'INVALID_FIELDS',
      violations: [{ field: 'password', description: expect.stringMatching(/^is too easy to guess: it is a common/) }],
    });
    expect(await accounts.find('erin')).toBeUndefined();
  });

  test('is refused if only the operator may create accounts', async () => {
    const closed = await newService({ registration: false });
    await expect(register(closed)).rejects.toMatchObject({ reason: 'REGISTRATION_DISABLED' });
  });
});

describe('logging in', () => {
  test('ignores the case of the name', async () => {
    const { userId } = await register();
    const signedIn = await auth.login({ username: userId.toUpperCase(), password }, device);
    expect(await principalOf(signedIn)).toMatchObject({ userId });
  });

  test('a wrong password and an unknown name cause the same error and the same work', async () => {
    const { userId } = await register();
    const refusals: unknown[] = [];
    verified = [];
    for (const username of [userId, 'nobody-of-that-name']) {
      const error: Error = await auth.login({ username, password: 'wrong wrong wrong' }, device).then(
        () => expect.unreachable(),
        (refusal) => refusal,
      );
      refusals.push({ ...error, message: error.message });
    }
    expect(refusals[0]).toEqual(refusals[1]);
    expect(refusals[0]).toMatchObject({ reason: 'WRONG_CREDENTIALS' });
    expect(verified).toHaveLength(2);
    expect(verified[0]!.split('$', 4)).toEqual(verified[1]!.split('$', 4));
  });

  test('too many wrong passwords stop all attempts on a name, whether or not there is such an account', async () => {
    const limited = await newService({}, 3);
    const { userId } = await register(limited);
    for (const username of [userId, 'nobody-either']) {
      const attempt = (given: string) => limited.login({ username, password: given }, device);
      for (let i = 0; i < 3; i += 1)
        await expect(attempt('wrong')).rejects.toMatchObject({ reason: 'WRONG_CREDENTIALS' });
      await expect(attempt(password)).rejects.toMatchObject({
        reason: 'RATE_LIMITED',
        retryAfterMs: expect.any(Number),
      });
    }
  });

  test('wrong passwords from one network do not lock out a user in another, until many networks try', async () => {
    const limited = await newService({}, 3);
    const { userId } = await register(limited);
    const attempt = (given: string, address: string) =>
      limited.login({ username: userId, password: given }, { ...device, address });
    for (let i = 0; i < 3; i += 1) {
      await expect(attempt('wrong', '198.51.100.1')).rejects.toMatchObject({ reason: 'WRONG_CREDENTIALS' });
    }
    await expect(attempt(password, '198.51.100.1')).rejects.toMatchObject({ reason: 'RATE_LIMITED' });
    await attempt(password, '203.0.113.7');
    for (let i = 0; i < 6; i += 1) {
      await expect(attempt('wrong', `198.51.101.${i}`)).rejects.toMatchObject({ reason: 'WRONG_CREDENTIALS' });
    }
    await expect(attempt('wrong', '198.51.102.1')).rejects.toMatchObject({ reason: 'RATE_LIMITED' });
  });

  test('the right password resets the count of wrong ones', async () => {
    const limited = await newService({}, 3);
    const { userId } = await register(limited);
    const attempt = (given: string) => limited.login({ username: userId, password: given }, device);
    for (let round = 0; round < 3; round += 1) {
      await expect(attempt('wrong')).rejects.toMatchObject({ reason: 'WRONG_CREDENTIALS' });
      await expect(attempt('wrong')).rejects.toMatchObject({ reason: 'WRONG_CREDENTIALS' });
      await attempt(password);
    }
  });

  test('a digest with outdated parameters is replaced', async () => {
    const { userId } = await register();
    const old = await new Argon2PasswordHasher({ cost: { memory: 32, passes: 1, parallelism: 1 } }).hash(password);
    await setDigest(userId, old);
    const logins = Array.from({ length: 5 }, () => auth.login({ username: userId, password }, device));
    expect(await Promise.all(logins)).toMatchObject(logins.map(() => ({ userId })));
    expect((await accounts.find(userId))?.passwordHash).toMatch(/m=64,/);
    await auth.login({ username: userId, password }, device);
  });

  test('replacing a digest does not restore a password that is changed at the same time', async () => {
    const { userId } = await register();
    const from = await new Argon2PasswordHasher({ cost: { memory: 32, passes: 1, parallelism: 1 } }).hash(password);
    await setDigest(userId, from);
    const newHash = await new NotedHasher().hash('four silver teapots');
    const changing = await changeUncommitted('update auth.accounts set password_hash = $2 where user_id = $1', [
      userId,
      newHash,
    ]);
    const login = auth.login({ username: userId, password }, device).catch((error) => error);
    await lockWaits(storage.dsn, 1);
    await changing.commit();
    expect(await login).toMatchObject({ reason: 'WRONG_CREDENTIALS' });
    expect((await accounts.find(userId))?.passwordHash).toBe(newHash);
  });

  test('while too many passwords are being checked, unknown and known names are refused alike, and later served again', async () => {
    const busy = new Argon2PasswordHasher({
      cost: { memory: 64, passes: 1, parallelism: 1 },
      maxAtOnce: 1,
      maxWaiting: 0,
    });
    const service = await newService({}, 0, busy);
    const { userId } = await register(service);
    const slow = '$argon2id$v=19$m=65536,t=10,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    const occupied = busy.verify('another', slow);
    for (const username of [userId, 'nobody-at-all']) {
      const refused = service.login({ username, password }, device);
      await expect(refused).rejects.toMatchObject({ reason: 'RATE_LIMITED' });
    }
    await occupied;
    const unknown = service.login({ username: 'nobody-at-all', password }, device);
    await expect(unknown).rejects.toMatchObject({ reason: 'WRONG_CREDENTIALS' });
  });
});

describe('refreshing', () => {
  test('gives a new pair of tokens for the same session each time', async () => {
    let signedIn = await register();
    const { sessionId } = signedIn;
    for (let i = 0; i < 3; i += 1) {
      const next = await auth.refresh(signedIn.refreshToken, { ...device, userAgent: `test/${i}` });
      expect(next.refreshToken).not.toBe(signedIn.refreshToken);
      expect(next.sessionId).toBe(sessionId);
      signedIn = next;
    }
    const [session] = await auth.listSessions(await principalOf(signedIn));
    expect(session).toMatchObject({ id: sessionId, userAgent: 'test/2' });
  });

  test('a token that is used twice ends its session, and the newest token with it', async () => {
    const first = await register();
    const second = await auth.refresh(first.refreshToken, device);
    const third = await auth.refresh(second.refreshToken, device);
    const before = enforced;
    await expect(auth.refresh(first.refreshToken, device)).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_REUSED' });
    expect(enforced).toBe(before + 1);
    expect(await endedSessions()).toContain(first.sessionId);
    await expect(auth.refresh(third.refreshToken, device)).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_INVALID' });
    const { items } = await accounts.listEvents({ userId: first.userId }, 10);
    expect(items[0]).toMatchObject({ action: 'session.end', detail: { reason: 'TOKEN_REUSED' } });
  });

  test('of concurrent attempts with one token, one succeeds and the session ends', async () => {
    const signedIn = await register();
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => auth.refresh(signedIn.refreshToken, device)),
    );
    const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(won).toHaveLength(1);
    expect(await endedSessions()).toContain(signedIn.sessionId);
    await expect(auth.refresh(won[0]!.refreshToken, device)).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_INVALID' });
  });

  test('a refresh can be repeated with the same retry key if the answer is lost', async () => {
    const { refreshToken, sessionId } = await register();
    const lost = await auth.refresh(refreshToken, device, 'the key');
    await auth.refresh(refreshToken, device, 'the key');
    const got = await auth.refresh(refreshToken, device, 'the key');
    expect(got.sessionId).toBe(sessionId);
    const next = await auth.refresh(got.refreshToken, device, 'the key');
    expect(next.sessionId).toBe(sessionId);
    // The refresh token of a lost answer is invalid.
    await expect(auth.refresh(lost.refreshToken, device)).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_INVALID' });
  });

  test.each([
    ['another key', 'another'],
    ['no key', ''],
  ])('a repetition with %s is a reuse of the token', async (_, key) => {
    const { refreshToken, sessionId } = await register();
    const got = await auth.refresh(refreshToken, device, 'the key');
    await expect(auth.refresh(refreshToken, device, key)).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_REUSED' });
    expect(await endedSessions()).toContain(sessionId);
    await expect(auth.refresh(got.refreshToken, device)).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_INVALID' });
  });

  test('the retry key is invalid once the new refresh token has been used', async () => {
    const { refreshToken, sessionId } = await register();
    const { refreshToken: second } = await auth.refresh(refreshToken, device, 'the key');
    await auth.refresh(second, device, 'the key');
    const again = auth.refresh(refreshToken, device, 'the key');
    await expect(again).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_REUSED' });
    expect(await endedSessions()).toContain(sessionId);
  });

  test('the reuse of a token does not affect sessions of other accounts', async () => {
    const [mine, others] = [await register(), await register()];
    await auth.refresh(mine.refreshToken, device);
    await expect(auth.refresh(mine.refreshToken, device)).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_REUSED' });
    expect(await auth.refresh(others.refreshToken, device)).toMatchObject({ userId: others.userId });
  });

  test('an unknown token and one of an expired session are refused', async () => {
    await expect(auth.refresh('made up', device)).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_INVALID' });
    const brief = await newService({ refreshTtlMs: -1_000 });
    const { refreshToken } = await register(brief);
    await expect(auth.refresh(refreshToken, device)).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_INVALID' });
  });

  test('gives the account’s current roles', async () => {
    const signedIn = await register();
    await accounts.setRoles(signedIn.userId, ['user', 'admin']);
    const next = await auth.refresh(signedIn.refreshToken, device);
    expect(await principalOf(next)).toMatchObject({ roles: ['user', 'admin'] });
    expect(await accounts.setRoles(signedIn.userId, ['user'])).toEqual({ sessionsEnded: 1 });
    expect(await endedSessions()).toContain(signedIn.sessionId);
  });
});

describe('sessions', () => {
  test('each device has its own, and a user sees and ends only their own', async () => {
    const first = await register();
    const second = await auth.login({ username: first.userId, password }, { ...device, userAgent: 'phone' });
    const other = await register();
    const me = await principalOf(first);
    expect((await auth.listSessions(me)).map(({ id }) => id)).toEqual([second.sessionId, first.sessionId]);

    await expect(auth.revokeSession(me, other.sessionId)).rejects.toMatchObject({ reason: 'SESSION_NOT_FOUND' });
    await auth.revokeSession(me, second.sessionId);
    await expect(auth.revokeSession(me, second.sessionId)).rejects.toMatchObject({ reason: 'SESSION_NOT_FOUND' });
    await expect(auth.refresh(second.refreshToken, device)).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_INVALID' });
    expect((await auth.listSessions(me)).map(({ id }) => id)).toEqual([first.sessionId]);
    const ended = await endedSessions();
    expect([ended.includes(second.sessionId), ended.includes(other.sessionId)]).toEqual([true, false]);
  });

  test('logging out ends the session of the token, also for a guest', async () => {
    const signedIn = await register();
    await auth.logout(await principalOf(signedIn));
    const guest = await auth.guest('zoe');
    const principal = await principalOf(guest);
    await auth.logout(principal);
    await auth.logout(principal);
    expect(await endedSessions()).toEqual(expect.arrayContaining([signedIn.sessionId, principal.sessionId]));
  });

  test('a change of the password ends all other sessions', async () => {
    const first = await register();
    const second = await auth.login({ username: first.userId, password }, device);
    const me = await principalOf(second);
    const change = (currentPassword: string, newPassword: string) =>
      auth.changePassword(me, { currentPassword, newPassword });
    await expect(change('wrong', 'four silver teapots')).rejects.toMatchObject({ reason: 'WRONG_PASSWORD' });
    await expect(change(password, 'password1')).rejects.toMatchObject({ violations: [{ field: 'new_password' }] });
    await change(password, 'four silver teapots');
    const ended = await endedSessions();
    expect([ended.includes(first.sessionId), ended.includes(second.sessionId)]).toEqual([true, false]);
    await expect(auth.login({ username: first.userId, password }, device)).rejects.toMatchObject({
      reason: 'WRONG_CREDENTIALS',
    });
    await auth.login({ username: first.userId, password: 'four silver teapots' }, device);
  });

  test('a login begins no session if the password changes before it ends', async () => {
    const { userId } = await register();
    await accounts.setPassword(userId, await new NotedHasher().hash(password), { actorId: '' });
    const change = await changeUncommitted('update auth.accounts set password_hash = $2 where user_id = $1', [
      userId,
      await new NotedHasher().hash('four silver teapots'),
    ]);
    const login = auth.login({ username: userId, password }, device).catch((error) => error);
    await lockWaits(storage.dsn, 1);
    await change.commit();
    expect(await login).toMatchObject({ reason: 'WRONG_CREDENTIALS' });
    expect(await accounts.listSessions(userId)).toEqual([]);
  });

  test('a login gives the new roles if they change before it ends', async () => {
    const { userId } = await register();
    await accounts.setRoles(userId, ['user', 'admin']);
    const change = await changeUncommitted(`update auth.accounts set roles = '{user}' where user_id = $1`, [userId]);
    const login = auth.login({ username: userId, password }, device);
    await lockWaits(storage.dsn, 1);
    await change.commit();
    expect(await principalOf(await login)).toMatchObject({ roles: ['user'] });
  });

  test('of two concurrent changes of the password, one succeeds', async () => {
    const me = await principalOf(await register());
    const wanted = ['four silver teapots', 'nine copper kettles'];
    const results = await Promise.allSettled(
      wanted.map((newPassword) => auth.changePassword(me, { currentPassword: password, newPassword })),
    );
    const winner = results.findIndex(({ status }) => status === 'fulfilled');
    expect(results[1 - winner]).toMatchObject({ reason: { reason: 'WRONG_PASSWORD' } });
    await auth.login({ username: me.userId, password: wanted[winner]! }, device);
  });

  test('guests have no password', async () => {
    const guest = await principalOf(await auth.guest('yan'));
    const changed = auth.changePassword(guest, { currentPassword: 'x', newPassword: password });
    await expect(changed).rejects.toMatchObject({ reason: 'NOT_AN_ACCOUNT' });
    expect(await auth.listSessions(guest)).toEqual([]);
  });
});

test('a guest’s user id never equals that of an account, whatever the name', async () => {
  for (const name of ['alice', 'guest:alice', 'admin']) {
    const { token, userId, expiresAt } = await auth.guest(name);
    expect(userId).toBe(`guest:${name}`);
    const sessionId = expect.any(String);
    expect(await verifier.verify(token)).toEqual({
      userId,
      name,
      roles: ['user'],
      sessionId,
      tokenExpiresAt: expiresAt,
    });
  }
});

test('guests are not admitted unless configured', async () => {
  const closed = await newService({ guests: false });
  await expect(closed.guest('alice')).rejects.toMatchObject({ reason: 'GUESTS_DISABLED' });
});

test('with an external issuer every method is refused with ACCOUNTS_ELSEWHERE', async () => {
  const outside = new AuthService(undefined, {
    guests: true,
    registration: true,
    refreshTtlMs: 1,
    issuer: 'issuer',
    publicUrl: '',
  });
  const me: Principal = { userId: 'a', name: '', roles: ['user'], sessionId: randomUUID(), tokenExpiresAt: new Date() };
  const calls = [
    () => outside.register({ username: 'aa', password, name: '' }, device),
    () => outside.login({ username: 'aa', password }, device),
    () => outside.guest('a'),
    () => outside.refresh('x', device),
    () => outside.logout(me),
    () => outside.changePassword(me, { currentPassword: 'x', newPassword: 'y' }),
    async () => outside.listSessions(me),
    () => outside.revokeSession(me, randomUUID()),
    async () => outside.listRevocations(undefined),
    async () => outside.listEvents(undefined, 1),
    () => outside.keySet(),
    async () => outside.openIdConfiguration(),
  ];
  for (const call of calls) await expect(call()).rejects.toMatchObject({ reason: 'ACCOUNTS_ELSEWHERE' });
});

test('no password, refresh token or digest is in the audit log', async () => {
  const signedIn = await register();
  await auth.changePassword(await principalOf(signedIn), {
    currentPassword: password,
    newPassword: 'four silver teapots',
  });
  const { rows } = await storage.database.pool.query('select * from auth.audit_log');
  const all = JSON.stringify(rows);
  for (const secret of [password, 'teapots', 'argon2', signedIn.refreshToken]) expect(all).not.toContain(secret);
  const { rows: kept } = await storage.database.pool.query(
    `select encode(token_hash, 'escape') from auth.refresh_tokens`,
  );
  expect(JSON.stringify(kept)).not.toContain(signedIn.refreshToken);
});

describe('the list of ended sessions', () => {
  test('contains sessions whose end is committed late, however late', async () => {
    const [late, other] = [await register(), await register()];
    const end = `update auth.sessions set end_reason = 'REVOKED', ended_at = clock_timestamp() - $2::interval where id = $1`;
    const client = await storage.connect();
    await client.query('begin');
    // The access tokens of this test are valid for a minute.
    await client.query(end, [late.sessionId, '45 s']);
    const { cursor } = await revocations.listRevocations();
    await storage.database.pool.query(end, [other.sessionId, '0 s']);
    const during = await revocations.listRevocations(cursor);
    expect(during.sessionIds).toContain(other.sessionId);
    expect(during.sessionIds).not.toContain(late.sessionId);
    await client.query('commit');
    expect((await revocations.listRevocations(during.cursor)).sessionIds).toContain(late.sessionId);
  });

  test('refuses a cursor that is of no answer', async () => {
    const malformed = [
      'x',
      '-1',
      '1; drop table',
      'a.1:2',
      'a.2:1:',
      'a.0:1:',
      'a.1:3:3',
      'a.1:9:4,2',
      'a.1:9:x',
      'g.1:2:',
    ];
    for (const cursor of [...malformed, `a.1:${'9'.repeat(19)}:`]) {
      await expect(async () => revocations.listRevocations(cursor)).rejects.toMatchObject({ reason: 'INVALID_FIELDS' });
    }
  });

  test('begins again for the cursor of another database, whatever it says', async () => {
    const ended = await register();
    await auth.logout(await principalOf(ended));
    const { cursor } = await revocations.listRevocations();
    const history = cursor.split('.')[0];
    expect((await revocations.listRevocations(cursor)).sessionIds).toEqual([]);
    for (const snapshot of ['1:1:', '5:9:6,8', `1:${'9'.repeat(18)}:`]) {
      expect((await revocations.listRevocations(`0.${snapshot}`)).sessionIds).toContain(ended.sessionId);
      await revocations.listRevocations(`${history}.${snapshot}`);
    }
  });

  test('pruning deletes sessions that expired long ago', async () => {
    const { userId, sessionId } = await register();
    await storage.database.pool.query(`update auth.sessions set expires_at = now() - interval '2 days' where id = $1`, [
      sessionId,
    ]);
    expect(await accounts.prune(1_000)).toBeGreaterThanOrEqual(1);
    const { rowCount } = await storage.database.pool.query('select from auth.sessions where user_id = $1', [userId]);
    expect(rowCount).toBe(0);
  });
});
