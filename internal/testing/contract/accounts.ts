import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { CloseReason } from '../../../pkg/api/chat/v1/chat.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, personOf, say, signIn, uniqueName } from '../clients/person.ts';
import { commands } from '../clients/stream-probe.ts';
import { type Issue, personWith } from './issue.ts';

const password = 'correct horse battery staple';

/** Registers the tests of auth.v1.AuthService that every transport must pass. The service must allow guests and registration, without rate limits. */
export function accountsContract(open: () => Transport, issue: Issue): void {
  describe('accounts', () => {
    /** Registers a new account. */
    async function register(transport: Transport) {
      const username = uniqueName('user');
      const signedIn = await transport.auth.register({ username, password, name: 'Somebody' }, {});
      const token = signedIn.accessToken;
      return { ...signedIn, token, person: personOf(transport, { id: signedIn.userId, name: signedIn.name, token }) };
    }

    test('a user who registers is signed in, and GetMe returns the user', async () => {
      const transport = open();
      const username = uniqueName('Carol');
      const signedIn = await transport.auth.register({ username, password, name: '' }, {});
      const { accessToken: token, expiresAt, sessionId } = signedIn;
      expect(signedIn).toMatchObject({ userId: username.toLowerCase(), name: username });
      expect(decodeJwt(token)).toMatchObject({ sub: username.toLowerCase(), roles: ['user'], sid: sessionId });
      expect(signedIn.refreshExpiresAt!.getTime()).toBeGreaterThan(expiresAt!.getTime());
      expect(await transport.auth.getMe({}, { token })).toEqual({
        userId: username.toLowerCase(),
        name: username,
        roles: ['user'],
        sessionId,
        tokenExpiresAt: expiresAt,
      });
      const again = transport.auth.register({ username: username.toUpperCase(), password, name: '' }, {});
      await expect(again).rejects.toMatchObject({ code: 'ALREADY_EXISTS', reason: 'USERNAME_TAKEN' });
    });

    test.each([
      [{ username: 'a' }, 'username'],
      [{ username: 'with space' }, 'username'],
      [{ username: 'é-accent' }, 'username'],
      [{ password: 'short' }, 'password'],
      [{ password: 'password1' }, 'password'],
      [{ password: 'x'.repeat(129) }, 'password'],
      [{ name: 'a\u0007b' }, 'name'],
    ])('%j is refused with the field at fault', async (fault, field) => {
      const request = { username: uniqueName('erin'), password, name: '', ...fault };
      await expect(open().auth.register(request, {})).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        reason: 'INVALID_FIELDS',
        violations: [{ field, description: expect.any(String) }],
      });
    });

    test('each login begins a session of its own; a wrong password and an unknown name are refused alike', async () => {
      const transport = open();
      const first = await register(transport);
      const second = await transport.auth.login({ username: first.userId.toUpperCase(), password }, {});
      expect(second).toMatchObject({ userId: first.userId, name: 'Somebody' });
      expect(second.sessionId).not.toBe(first.sessionId);
      for (const username of [first.userId, uniqueName('nobody')]) {
        await expect(transport.auth.login({ username, password: 'wrong' }, {})).rejects.toMatchObject({
          code: 'UNAUTHENTICATED',
          reason: 'WRONG_CREDENTIALS',
          message: 'there is no account with this user name and password',
        });
      }
    });

    test('a refresh token is valid once; a second use ends the session everywhere', async () => {
      const transport = open();
      const first = await register(transport);
      const stream = await first.person.connect();
      const second = await transport.auth.refresh({ refreshToken: first.refreshToken }, {});
      expect(second).toMatchObject({ userId: first.userId, sessionId: first.sessionId });
      expect((await transport.auth.getMe({}, { token: second.accessToken })).userId).toBe(first.userId);

      const begun = performance.now();
      const reused = transport.auth.refresh({ refreshToken: first.refreshToken }, {});
      await expect(reused).rejects.toMatchObject({ code: 'UNAUTHENTICATED', reason: 'REFRESH_TOKEN_REUSED' });
      expect(await stream.ended).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'SESSION_REVOKED' });
      expect(performance.now() - begun).toBeLessThan(1_000);
      for (const token of [first.token, second.accessToken]) {
        await expect(transport.auth.getMe({}, { token })).rejects.toMatchObject({ reason: 'SESSION_REVOKED' });
      }
      const newest = transport.auth.refresh({ refreshToken: second.refreshToken }, {});
      await expect(newest).rejects.toMatchObject({ code: 'UNAUTHENTICATED', reason: 'REFRESH_TOKEN_INVALID' });
      const unknown = transport.auth.refresh({ refreshToken: 'made up' }, {});
      await expect(unknown).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_INVALID' });
    });

    test('logging out ends the session, its tokens and its streams, and no other session', async () => {
      const transport = open();
      const first = await register(transport);
      const second = await transport.auth.login({ username: first.userId, password }, {});
      const other = personOf(transport, { id: first.userId, name: '', token: second.accessToken });
      const group = await newGroup(first.person);
      const [ended, open2] = await Promise.all([first.person.connect(), other.connect()]);
      for (const stream of [ended, open2]) await stream.ask(commands.subscribe(group.id));

      await transport.auth.logout({}, { token: first.token });

      expect(await ended.ended).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'SESSION_REVOKED' });
      expect(ended.events.at(-1)).toMatchObject({ $case: 'closing', value: { reason: CloseReason.SESSION_REVOKED } });
      await expect(transport.auth.getMe({}, { token: first.token })).rejects.toMatchObject({
        reason: 'SESSION_REVOKED',
      });
      await say(other, group, 'still here');
      await open2.until(() => open2.messages(group.id).length === 1);
      expect(ended.messages(group.id)).toEqual([]);
    });

    test('a guest can log out', async () => {
      const transport = open();
      const guest = await signIn(transport, 'guest');
      const stream = await guest.connect();
      await transport.auth.logout({}, { token: guest.token });
      expect(await stream.ended).toMatchObject({ reason: 'SESSION_REVOKED' });
      await expect(guest.chat.listChats({})).rejects.toMatchObject({ reason: 'SESSION_REVOKED' });
    });

    test('sessions are listed, the most recently used first, and only their owner can revoke them', async () => {
      const transport = open();
      const first = await register(transport);
      const second = await transport.auth.login({ username: first.userId, password }, {});
      const { sessions } = await transport.auth.listSessions({}, { token: first.token });
      expect(sessions).toMatchObject([
        { id: second.sessionId, current: false },
        { id: first.sessionId, current: true, address: expect.stringMatching(/^(::ffff:)?127\.0\.0\.1$/) },
      ]);
      const stranger = await register(transport);
      const revoke = (token: string) => transport.auth.revokeSession({ sessionId: second.sessionId }, { token });
      await expect(revoke(stranger.token)).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'SESSION_NOT_FOUND' });
      await revoke(first.token);
      await expect(transport.auth.getMe({}, { token: second.accessToken })).rejects.toMatchObject({
        reason: 'SESSION_REVOKED',
      });
      expect((await transport.auth.listSessions({}, { token: first.token })).sessions).toHaveLength(1);
      const none = transport.auth.revokeSession({ sessionId: 'none' }, { token: first.token });
      await expect(none).rejects.toMatchObject({ reason: 'INVALID_FIELDS' });
      const { sessionIds } = await transport.auth.listRevocations({ cursor: '' }, {});
      expect([sessionIds.includes(second.sessionId), sessionIds.includes(first.sessionId)]).toEqual([true, false]);
    });

    test('a change of the password ends the other sessions; guests have no password', async () => {
      const transport = open();
      const first = await register(transport);
      const second = await transport.auth.login({ username: first.userId, password }, {});
      const change = (token: string, currentPassword: string, newPassword: string) =>
        transport.auth.changePassword({ currentPassword, newPassword }, { token });
      await expect(change(first.token, 'wrong', 'four silver teapots')).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
        reason: 'WRONG_PASSWORD',
      });
      await expect(change(first.token, password, 'qwertyuiop')).rejects.toMatchObject({
        violations: [{ field: 'new_password' }],
      });
      await change(first.token, password, 'four silver teapots');
      await expect(transport.auth.getMe({}, { token: second.accessToken })).rejects.toMatchObject({
        reason: 'SESSION_REVOKED',
      });
      expect((await transport.auth.getMe({}, { token: first.token })).userId).toBe(first.userId);
      await transport.auth.login({ username: first.userId, password: 'four silver teapots' }, {});
      const guest = await signIn(transport, 'guest');
      await expect(change(guest.token, 'x', 'four silver teapots')).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        reason: 'NOT_AN_ACCOUNT',
      });
    });

    test('administrators list the events of an account, the newest first, page by page', async () => {
      const transport = open();
      const { auth } = transport;
      const { userId, token, refreshToken } = await register(transport);
      const { sessionId } = await auth.login({ username: userId, password }, {});
      await auth.revokeSession({ sessionId }, { token });
      await auth.changePassword({ currentPassword: password, newPassword: 'four silver teapots' }, { token });

      const admin = { token: (await personWith(transport, issue, 'admin')).token };
      const { events, nextPageToken } = await auth.listAuthEvents({ userId }, admin);
      expect([events, nextPageToken]).toMatchObject([
        [
          { actorId: userId, userId, action: 'password.change', detail: { sessionsEnded: 0 } },
          { actorId: userId, userId, action: 'session.revoke', detail: { session: sessionId } },
          { actorId: userId, userId, action: 'account.create', detail: { roles: ['user'] }, at: expect.any(Date) },
        ],
        '',
      ]);
      for (const secret of [password, 'teapots', refreshToken, token]) {
        expect(JSON.stringify(events)).not.toContain(secret);
      }
      const first = await auth.listAuthEvents({ userId, pageSize: 2 }, admin);
      const second = await auth.listAuthEvents({ userId, pageSize: 2, pageToken: first.nextPageToken }, admin);
      expect([...first.events, ...second.events]).toEqual(events);
      await expect(auth.listAuthEvents({}, { token })).rejects.toMatchObject({ reason: 'METHOD_NOT_ALLOWED' });
    });

    test('the public keys and the issuer can be read without a token', async () => {
      const transport = open();
      const { keys } = await transport.auth.getKeySet({}, {});
      expect(keys[0]).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' });
      const configuration = await transport.auth.getOpenIdConfiguration({}, {});
      expect(configuration.jwksUri).toMatch(/\/\.well-known\/jwks\.json$/);
      expect(decodeJwt((await signIn(transport, 'guest')).token).iss).toBe(configuration.issuer);
    });
  });
}
