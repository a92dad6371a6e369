import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import fc from 'fast-check';
import {
  type CryptoKey,
  createLocalJWKSet,
  createRemoteJWKSet,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { JoseTokenVerifier } from './jose-token-verifier.ts';

const options = { issuer: 'issuer', audience: 'chat', algorithms: ['EdDSA'] };

let key: CryptoKey;
let jwks: JSONWebKeySet;
let verifier: JoseTokenVerifier;
beforeAll(async () => {
  const pair = await generateKeyPair('EdDSA');
  key = pair.privateKey;
  jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'EdDSA', use: 'sig' }] };
  verifier = new JoseTokenVerifier(createLocalJWKSet(jwks), options);
});

const now = () => Math.floor(Date.now() / 1_000);
const claims = (): JWTPayload => ({
  iss: 'issuer',
  aud: 'chat',
  sub: 'alice',
  name: 'Alice',
  roles: ['user'],
  exp: now() + 60,
  jti: randomUUID(),
});

function sign(changed: JWTPayload = {}, header: { alg?: string; kid?: string } = {}, by: CryptoKey | Uint8Array = key) {
  return new SignJWT({ ...claims(), ...changed }).setProtectedHeader({ alg: 'EdDSA', kid: 'k', ...header }).sign(by);
}

describe('a token', () => {
  test('of the issuer names its bearer', async () => {
    const exp = now() + 90;
    expect(await verifier.verify(await sign({ exp }))).toEqual({
      userId: 'alice',
      name: 'Alice',
      roles: ['user'],
      tokenExpiresAt: new Date(exp * 1_000),
    });
  });

  test.each<[string, () => string | Promise<string>]>([
    ['that is not signed', () => new UnsecuredJWT(claims()).encode()],
    [
      'with the algorithm none',
      async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await sign()).split('.')[1]}.`,
    ],
    [
      'with the algorithm none and a signature',
      async () =>
        [Buffer.from('{"alg":"none","kid":"k"}').toString('base64url'), ...(await sign()).split('.').slice(1)].join(
          '.',
        ),
    ],
    [
      'signed with the public key as a secret',
      () => sign({}, { alg: 'HS256' }, Buffer.from(jwks.keys[0]!.x!, 'base64url')),
    ],
    [
      'signed with the public key’s text as a secret',
      () => sign({}, { alg: 'HS256' }, Buffer.from(JSON.stringify(jwks.keys[0]))),
    ],
    [
      'signed by another key under this key’s name',
      async () => sign({}, {}, (await generateKeyPair('EdDSA')).privateKey),
    ],
    ['of an unknown key', () => sign({}, { kid: 'other' })],
    ['of another issuer', () => sign({ iss: 'other' })],
    ['for another audience', () => sign({ aud: 'other' })],
    ['for no audience', () => sign({ aud: undefined })],
    ['without a subject', () => sign({ sub: undefined })],
    ['with an empty subject', () => sign({ sub: '' })],
    ['with a subject that is not a user id', () => sign({ sub: 'a b' })],
    ['with a subject that is too long', () => sign({ sub: 'x'.repeat(129) })],
    ['with a subject that has control characters', () => sign({ sub: 'a\0b' })],
    ['without an expiry', () => sign({ exp: undefined })],
    ['with an expiry that is not a number', () => sign({ exp: 'never' as unknown as number })],
    ['that is not valid yet', () => sign({ nbf: now() + 120 })],
    ['that was issued in the future', () => sign({ iat: now() + 120 })],
    ['with a subject that is not a string', () => sign({ sub: 5 as unknown as string })],
    ['that is longer than any header', () => sign({ name: 'x'.repeat(1_000_000) })],
    ['that is not a token', () => 'nonsense'],
    ['that is empty', () => ''],
    ['that is truncated', async () => (await sign()).slice(0, -10)],
  ])('%s is refused', async (_, make) => {
    const token = await make();
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED', reason: 'TOKEN_INVALID' });
    await expect(verifier.verify(token)).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
  });

  test('with a changed payload is refused, also after the original was accepted', async () => {
    const token = await sign();
    await verifier.verify(token);
    const [header, , signature] = token.split('.');
    const payload = Buffer.from(JSON.stringify({ ...claims(), sub: 'mallory' })).toString('base64url');
    await expect(verifier.verify(`${header}.${payload}.${signature}`)).rejects.toMatchObject({
      reason: 'TOKEN_INVALID',
    });
  });

  test('is refused with TOKEN_EXPIRED from the second of its expiry on, also if it was accepted before', async () => {
    await expect(verifier.verify(await sign({ exp: now() - 60 }))).rejects.toMatchObject({ reason: 'TOKEN_EXPIRED' });
    await expect(verifier.verify(await sign({ exp: now() - 1 }))).rejects.toMatchObject({ reason: 'TOKEN_EXPIRED' });
    const exp = now() + 60;
    const short = await sign({ exp });
    expect((await verifier.verify(short)).userId).toBe('alice');
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    vi.setSystemTime(exp * 1_000 - 1);
    expect((await verifier.verify(short)).userId).toBe('alice');
    vi.setSystemTime(exp * 1_000);
    await expect(verifier.verify(short)).rejects.toMatchObject({ reason: 'TOKEN_EXPIRED' });
  });

  test('of an issuer whose clock is a little ahead is accepted', async () => {
    const token = await sign({ iat: now() + 20, nbf: now() + 20 });
    expect((await verifier.verify(token)).userId).toBe('alice');
  });

  test('for several audiences is accepted if this is one of them', async () => {
    expect((await verifier.verify(await sign({ aud: ['mail', 'chat'] }))).userId).toBe('alice');
    for (const aud of [['mail', 'chat '], [], [['chat']], 'chatter']) {
      await expect(verifier.verify(await sign({ aud } as JWTPayload))).rejects.toMatchObject({
        reason: 'TOKEN_INVALID',
      });
    }
  });

  test('of another algorithm is refused, even if the issuer has a key for it', async () => {
    const pair = await generateKeyPair('ES256');
    const keys = { keys: [...jwks.keys, { ...(await exportJWK(pair.publicKey)), kid: 'e', alg: 'ES256', use: 'sig' }] };
    const token = await sign({}, { alg: 'ES256', kid: 'e' }, pair.privateKey);
    const accepting = (algorithms: string[]) =>
      new JoseTokenVerifier(createLocalJWKSet(keys), { ...options, algorithms });
    expect((await accepting(['EdDSA', 'ES256']).verify(token)).userId).toBe('alice');
    await expect(accepting(['EdDSA']).verify(token)).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
  });

  test('of random text is refused', async () => {
    const token = await sign();
    const garbage = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(
          fc.oneof(
            fc.base64String(),
            fc.json().map((text) => Buffer.from(text).toString('base64url')),
          ),
          { maxLength: 5 },
        )
        .map((parts) => parts.join('.')),
      fc
        .tuple(fc.nat(token.length - 2), fc.string({ maxLength: 2 }))
        .map(([at, text]) => token.slice(0, at) + text + token.slice(at + 1)),
    );
    await fc.assert(
      fc.asyncProperty(
        garbage.filter((text) => text !== token),
        async (text) => {
          await expect(verifier.verify(text)).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
        },
      ),
      { numRuns: 300 },
    );
  });

  test('does not appear in the error that refuses it', async () => {
    const token = await sign({ iss: 'other', sub: 'secret' });
    const error = await verifier.verify(token).catch((error) => error);
    expect(error.message).toBe('the access token is not valid');
  });
});

describe('the keys of a remote issuer', () => {
  async function remote(respond: (response: import('node:http').ServerResponse) => void) {
    const server = createServer((_, response) => respond(response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const keys = createRemoteJWKSet(new URL(`http://127.0.0.1:${port}/jwks.json`), {
      timeoutDuration: 200,
      cooldownDuration: 0,
    });
    const stop = async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    };
    return { verifier: new JoseTokenVerifier(keys, options), stop };
  }

  test('are fetched', async () => {
    const { verifier, stop } = await remote((response) => response.end(JSON.stringify(jwks)));
    expect((await verifier.verify(await sign())).userId).toBe('alice');
    await stop();
  });

  test('that cannot be fetched make the call UNAVAILABLE, not the token invalid', async () => {
    const unavailable = { code: 'UNAVAILABLE', retryAfterMs: expect.any(Number) };
    for (const respond of [
      (response: import('node:http').ServerResponse) => void response.writeHead(503).end(),
      (response: import('node:http').ServerResponse) => void response.end('no json'),
      () => {},
    ]) {
      const { verifier, stop } = await remote(respond);
      await expect(verifier.verify(await sign())).rejects.toMatchObject(unavailable);
      await stop();
      await expect(verifier.verify(await sign())).rejects.toMatchObject(unavailable);
    }
  });

  test('without the token’s key make the token invalid', async () => {
    const { verifier, stop } = await remote((response) => response.end('{"keys":[]}'));
    await expect(verifier.verify(await sign())).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
    await stop();
  });
});
