import { createLocalJWKSet, decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PostgresSigningKeyRepository } from '../../repository/postgres/postgres-signing-key-repository.ts';
import { openTestStorage, type TestStorage } from '../../testing/test-storage.ts';
import { JoseTokenIssuer } from './jose-token-issuer.ts';
import { JoseTokenVerifier } from './jose-token-verifier.ts';

const options = { issuer: 'issuer', audience: 'chat', ttlMs: 60_000 };
const subject = { userId: 'alice', name: 'Alice', roles: ['user', 'admin'] as const };

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

const newIssuer = () => JoseTokenIssuer.create(new PostgresSigningKeyRepository(storage.database), options);
const verifierOf = ({ jwks }: JoseTokenIssuer) =>
  new JoseTokenVerifier(createLocalJWKSet(jwks), { ...options, algorithms: ['EdDSA'] });

test('nodes that start at once, before there is any key, accept each other’s tokens, and so does a later one', async () => {
  const issuers = await Promise.all(Array.from({ length: 4 }, newIssuer));
  issuers.push(await newIssuer());
  for (const issuer of issuers) {
    const { token } = await issuer.issue(subject);
    for (const other of issuers) expect(await verifierOf(other).verify(token)).toMatchObject({ userId: 'alice' });
  }
});

test('a token says what it was issued for, and expires when it was told to', async () => {
  const issuer = await newIssuer();
  const before = Date.now();
  const { token, expiresAt } = await issuer.issue(subject);
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'EdDSA', kid: issuer.jwks.keys[0]?.kid, typ: 'JWT' });
  expect(decodeJwt(token)).toMatchObject({
    iss: 'issuer',
    aud: 'chat',
    sub: 'alice',
    name: 'Alice',
    roles: ['user', 'admin'],
  });
  expect(decodeJwt(token).exp! * 1_000).toBe(expiresAt.getTime());
  expect(Math.abs(expiresAt.getTime() - before - 60_000)).toBeLessThan(2_000);
  expect(await verifierOf(issuer).verify(token)).toEqual({ ...subject, tokenExpiresAt: expiresAt });
});

test('no two tokens are the same', async () => {
  const issuer = await newIssuer();
  const tokens = await Promise.all([1, 2, 3].map(() => issuer.issue(subject)));
  expect(new Set(tokens.map(({ token }) => decodeJwt(token).jti)).size).toBe(3);
});

test('what is published of the keys is only their public part', async () => {
  const { jwks } = await newIssuer();
  for (const key of jwks.keys) {
    expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
    expect(key).toMatchObject({ kty: 'OKP', alg: 'EdDSA', use: 'sig' });
  }
});
