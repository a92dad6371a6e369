import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PostgresSigningKeyRepository } from '../../repository/postgres/accounts/postgres-signing-key-repository.ts';
import { openTestStorage, type TestStorage } from '../../testing/services/test-storage.ts';
import { JoseSigningKeys } from './jose-signing-keys.ts';
import { JoseTokenIssuer } from './jose-token-issuer.ts';
import { JoseTokenVerifier } from './jose-token-verifier.ts';

const options = { issuer: 'issuer', audience: 'chat', ttlMs: 60_000 };
const subject = { userId: 'alice', name: 'Alice', roles: ['user', 'admin'] as const };

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

/** The issuer and verifier of one node. */
async function newNode() {
  const keys = await JoseSigningKeys.open(new PostgresSigningKeyRepository(storage.database));
  return {
    keys,
    issuer: new JoseTokenIssuer(keys, options),
    verifier: new JoseTokenVerifier(keys.find, { ...options, algorithms: ['EdDSA'] }),
  };
}

test('nodes that start at the same time without any key accept each other’s tokens, and so does a later node', async () => {
  const nodes = await Promise.all(Array.from({ length: 4 }, newNode));
  nodes.push(await newNode());
  for (const { issuer } of nodes) {
    const { token } = await issuer.issue(subject);
    for (const { verifier } of nodes) expect(await verifier.verify(token)).toMatchObject({ userId: 'alice' });
  }
});

test('a token has the claims of its subject, and expires at the time that issue returned', async () => {
  const { keys, issuer, verifier } = await newNode();
  const before = Date.now();
  const { token, expiresAt } = await issuer.issue({ ...subject, sessionId: 's-1' });
  const [key] = (await keys.jwks()).keys;
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'EdDSA', kid: key?.kid, typ: 'JWT' });
  expect(decodeJwt(token)).toMatchObject({
    iss: 'issuer',
    aud: 'chat',
    sub: 'alice',
    name: 'Alice',
    roles: ['user', 'admin'],
    sid: 's-1',
  });
  expect(decodeJwt(token).exp! * 1_000).toBe(expiresAt.getTime());
  // In whole seconds.
  expect(expiresAt.getTime()).toBeGreaterThan(before + 59_000);
  expect(expiresAt.getTime()).toBeLessThanOrEqual(Date.now() + 60_000);
  expect(await verifier.verify(token)).toEqual({ ...subject, sessionId: 's-1', tokenExpiresAt: expiresAt });
});

test('no two tokens are the same', async () => {
  const { issuer } = await newNode();
  const tokens = await Promise.all([1, 2, 3].map(() => issuer.issue(subject)));
  expect(new Set(tokens.map(({ token }) => decodeJwt(token).jti)).size).toBe(3);
});

test('only the public parts of the keys are published', async () => {
  const { keys } = await newNode();
  for (const key of (await keys.jwks()).keys) {
    expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
    expect(key).toMatchObject({ kty: 'OKP', alg: 'EdDSA', use: 'sig' });
  }
});
