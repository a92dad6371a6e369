import { createLocalJWKSet } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { JoseTokenIssuer } from '../client/auth/jose-token-issuer.ts';
import { JoseTokenVerifier } from '../client/auth/jose-token-verifier.ts';
import { PostgresSigningKeyRepository } from '../repository/postgres/postgres-signing-key-repository.ts';
import { openTestStorage, type TestStorage } from '../testing/test-storage.ts';
import { AuthService } from './auth-service.ts';

const options = { issuer: 'issuer', audience: 'chat', ttlMs: 60_000 };

let storage: TestStorage;
let issuer: JoseTokenIssuer;
beforeAll(async () => {
  storage = await openTestStorage();
  issuer = await JoseTokenIssuer.create(new PostgresSigningKeyRepository(storage.database), options);
});
afterAll(() => storage.close());

test('a guest is nobody else than a guest, whatever the name', async () => {
  const verifier = new JoseTokenVerifier(createLocalJWKSet(issuer.jwks), { ...options, algorithms: ['EdDSA'] });
  for (const name of ['alice', 'guest:alice', 'admin']) {
    const { token, userId, expiresAt } = await new AuthService(issuer, { guests: true }).guest(name);
    expect(userId).toBe(`guest:${name}`);
    expect(await verifier.verify(token)).toEqual({ userId, name, roles: ['user'], tokenExpiresAt: expiresAt });
  }
});

test('guests are not admitted unless configured', async () => {
  await expect(new AuthService(issuer, { guests: false }).guest('alice')).rejects.toMatchObject({
    reason: 'GUESTS_DISABLED',
  });
});
