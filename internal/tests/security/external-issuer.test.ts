import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createExternalVerifier } from '../../app/parts/external-verifier.ts';
import { readConfig } from '../../config/config.ts';
import { newRoom, personOf, say } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { OidcIssuer } from '../../testing/collectors/oidc-issuer.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService } from '../../testing/services/test-service.ts';

let issuer: OidcIssuer;
beforeEach(async () => {
  issuer = await OidcIssuer.start();
});
afterEach(() => issuer.close());

/** The settings of a service that uses the provider. */
async function settings(env: Record<string, string> = {}): Promise<Record<string, string>> {
  const { issuer: name, jwks_uri: jwksUrl } = await issuer.discover();
  return { AUTH_JWKS_URL: jwksUrl, AUTH_ISSUER: name, AUTH_AUDIENCE: 'chat', ...env };
}

async function verifier(env: Record<string, string> = {}) {
  const { auth } = readConfig(await settings(env));
  return createExternalVerifier(auth, auth.external!, { cooldownMs: 100 });
}

describe('with an OpenID Connect provider', () => {
  test('tokens of users and of clients are accepted with their subject', async () => {
    issuer.claims.set('auth0|alice', { name: 'Alice', roles: ['editor'] });
    const verify = await verifier();
    const { accessToken } = await issuer.userToken('auth0|alice');
    const principal = await verify.verify(accessToken);
    expect(principal).toMatchObject({ userId: 'auth0|alice', name: 'Alice', roles: ['user'] });
    expect(principal.tokenExpiresAt.getTime() - Date.now()).toBeGreaterThan(500_000);
    expect(await verify.verify(await issuer.clientToken())).toMatchObject({ userId: 'chat-web', roles: ['user'] });
  });

  test('names and roles are read from the configured claims', async () => {
    issuer.claims.set('alice', { profile: { nick: 'Ally' }, realm_access: { roles: ['chat-admin', 'editor'] } });
    issuer.claims.set('chat-web', { preferred_username: 'bot', realm_access: { roles: ['chat-bot'] } });
    const verify = await verifier({
      AUTH_NAME_CLAIM: 'profile.nick',
      AUTH_ROLES_CLAIM: 'realm_access.roles',
      AUTH_ADMIN_ROLE: 'chat-admin',
      AUTH_SERVICE_ROLE: 'chat-bot',
    });
    const { accessToken } = await issuer.userToken('alice');
    expect(await verify.verify(accessToken)).toMatchObject({ name: 'Ally', roles: ['user', 'admin'] });
    expect(await verify.verify(await issuer.clientToken())).toMatchObject({ name: 'bot', roles: ['service'] });
  });

  test.each(['RS256', 'ES256', 'EdDSA'] as const)('the rotation of its keys is followed: %s', async (algorithm) => {
    const verify = await verifier();
    const before = await issuer.clientToken();
    expect((await verify.verify(before)).userId).toBe('chat-web');
    await issuer.rotate({ keepOld: true }, algorithm);
    const after = await issuer.clientToken();
    await eventually(async () => expect((await verify.verify(after)).userId).toBe('chat-web'));
    expect((await (await verifier()).verify(before)).userId).toBe('chat-web');
    await issuer.rotate({ keepOld: false });
    await expect((await verifier()).verify(before)).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
  });

  test('tokens for another audience, of another provider, or with another algorithm are refused', async () => {
    const verify = await verifier();
    const { idToken, accessToken } = await issuer.userToken('alice');
    expect((await verify.verify(accessToken)).userId).toBe('alice');
    issuer.audience = 'mail';
    const forMail = await issuer.clientToken();
    issuer.audience = 'chat';
    const other = await OidcIssuer.start();
    try {
      for (const token of [idToken, forMail, await other.clientToken()]) {
        await expect(verify.verify(token)).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
      }
      // The same keys with another issuer name are refused too.
      const elsewhere = await verifier({ AUTH_ISSUER: other.url });
      await expect(elsewhere.verify(accessToken)).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
    } finally {
      await other.close();
    }
    const strict = await verifier({ AUTH_ALGORITHMS: 'ES256' });
    await expect(strict.verify(accessToken)).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
  });

  test('while it is unreachable, calls are soon refused with UNAVAILABLE, and later accepted again', async () => {
    const token = await issuer.clientToken();
    const verify = await verifier();
    await issuer.close();
    await expect(verify.verify(token)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: expect.any(Number) });
    await issuer.listen();
    await eventually(async () => expect((await verify.verify(token)).userId).toBe('chat-web'));
    await issuer.close();
    expect((await verify.verify(token)).userId).toBe('chat-web');
  });
});

describe('a service that uses an OpenID Connect provider', () => {
  test('gives the provider’s users and administrators their rights, and refuses all logins', async () => {
    issuer.claims.set('alice', { name: 'Alice' });
    issuer.claims.set('root', { name: 'Root', roles: 'openid admin' });
    const service = await startTestService(await settings());
    try {
      const people = await Promise.all(
        ['alice', 'root'].map(async (id) => {
          const { accessToken: token } = await issuer.userToken(id);
          return personOf(service.transport(), { id, name: id, token });
        }),
      );
      const [alice, root] = people;
      const room = await newRoom(alice!);
      const stream = await alice!.connect();
      await stream.ask(commands.subscribe(room.id));
      await say(alice!, room, 'hello');
      await stream.until(() => stream.messages(room.id).length === 1);
      expect(stream.messages(room.id)[0]).toMatchObject({ text: 'hello', sender: { id: 'alice', name: 'Alice' } });
      await expect(alice!.chat.banUser({ userId: 'bob' })).rejects.toMatchObject({ reason: 'METHOD_NOT_ALLOWED' });
      await root!.chat.banUser({ userId: 'alice' });
      expect(await stream.ended).toMatchObject({ reason: 'BANNED' });
      await expect(service.token('guest')).rejects.toMatchObject({ reason: 'ACCOUNTS_ELSEWHERE' });
    } finally {
      await service.stop();
    }
  });

  test('starts while the provider is unreachable, and answers UNAVAILABLE until it is reachable', async () => {
    const { accessToken: token } = await issuer.userToken('alice');
    const env = await settings();
    await issuer.close();
    const service = await startTestService(env);
    try {
      const alice = personOf(service.transport(), { id: 'alice', name: 'alice', token });
      await expect(alice.chat.listChats({})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(await alice.open().ended).toMatchObject({ code: 'UNAVAILABLE' });
      await issuer.listen();
      await eventually(() => expect(alice.chat.listChats({})).resolves.toMatchObject({ chats: [] }));
    } finally {
      await service.stop();
    }
  });
});
