import { decodeProtectedHeader, errors } from 'jose';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { PostgresSigningKeyRepository } from '../../repository/postgres/accounts/postgres-signing-key-repository.ts';
import type { PrivateJwk } from '../../repository/signing-key-repository.ts';
import { eventually } from '../../testing/eventually.ts';
import { openTestStorage, type TestStorage } from '../../testing/services/test-storage.ts';
import { generateSigningKey, JoseSigningKeys, type JoseSigningKeysOptions } from './jose-signing-keys.ts';
import { JoseTokenIssuer } from './jose-token-issuer.ts';
import { JoseTokenVerifier } from './jose-token-verifier.ts';

const claims = { issuer: 'issuer', audience: 'chat' };
const subject = { userId: 'alice', name: 'Alice', roles: ['user'] as const };
const times = { leadMs: 0, keepMs: 900_000 };

/** A repository that counts how often the keys are read. */
class CountedRepository extends PostgresSigningKeyRepository {
  reads = 0;

  override list(create: () => Promise<PrivateJwk>) {
    this.reads += 1;
    return super.list(create);
  }
}

const storages: TestStorage[] = [];
let repository: CountedRepository;
let storage: TestStorage;
beforeEach(async () => {
  storage = await openTestStorage();
  storages.push(storage);
  repository = new CountedRepository(storage.database);
});
afterAll(() => Promise.all(storages.map((storage) => storage.close())));

async function newNode(options: Partial<JoseSigningKeysOptions> = {}) {
  const keys = await JoseSigningKeys.open(repository, options);
  const issuer = new JoseTokenIssuer(keys, { ...claims, ttlMs: 60_000 });
  return { keys, issuer, verifier: new JoseTokenVerifier(keys.find, { ...claims, algorithms: ['EdDSA'] }) };
}

const kidOf = ({ token }: { token: string }) => decodeProtectedHeader(token).kid;

test('after a rotation old tokens stay valid, new tokens use the new key, and a node that does not know it yet accepts them', async () => {
  const signing = await newNode({ refreshMs: 0 });
  const other = await newNode({ refreshMs: 3_600_000, cooldownMs: 0 });
  const before = await signing.issuer.issue(subject);
  const key = await generateSigningKey();
  await repository.rotate(key, times);

  const after = await signing.issuer.issue(subject);
  expect(kidOf(after)).toBe(key.kid);
  expect(kidOf(before)).not.toBe(key.kid);
  for (const { verifier } of [signing, other]) {
    for (const { token } of [before, after]) expect(await verifier.verify(token)).toMatchObject({ userId: 'alice' });
  }
});

test('a new key is published at once and signs from its time on', async () => {
  const { keys, issuer } = await newNode({ refreshMs: 0 });
  const key = await generateSigningKey();
  const { signsFrom } = await repository.rotate(key, { ...times, leadMs: 1_000 });
  expect((await keys.jwks()).keys.map(({ kid }) => kid)).toContain(key.kid);
  const issued = await issuer.issue(subject);
  if (Date.now() < signsFrom.getTime()) expect(kidOf(issued)).not.toBe(key.kid);
  await eventually(async () => expect(kidOf(await issuer.issue(subject))).toBe(key.kid));
  expect(Date.now()).toBeGreaterThanOrEqual(signsFrom.getTime());
});

test('tokens of a retired key are refused', async () => {
  const { keys, issuer } = await newNode({ refreshMs: 0 });
  const [seen, unseen] = [await issuer.issue(subject), await issuer.issue(subject)];
  const { verifier } = await newNode({ refreshMs: 0 });
  await verifier.verify(seen.token);
  await repository.rotate(await generateSigningKey(), { leadMs: 0, keepMs: 0 });
  await eventually(async () => expect((await keys.jwks()).keys).toHaveLength(1));
  await expect(verifier.verify(unseen.token)).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
});

test('tokens with unknown keys make it read the database at most once per cool-down', async () => {
  const { keys } = await newNode({ cooldownMs: 60_000 });
  const before = repository.reads;
  const find = (kid: string) => keys.find({ alg: 'EdDSA', kid }, { payload: '', signature: '' });
  for (let i = 0; i < 50; i += 1) {
    await expect(find(`made-up-${i}`)).rejects.toBeInstanceOf(errors.JWKSNoMatchingKey);
  }
  expect(repository.reads).toBe(before);
  const eager = await newNode({ cooldownMs: 0 });
  const read = repository.reads;
  const many = Array.from({ length: 50 }, async (_, i) =>
    eager.keys.find({ alg: 'EdDSA', kid: `${i}` }, { payload: '', signature: '' }),
  );
  await Promise.allSettled(many);
  expect(repository.reads).toBe(read + 1);
});

test('while the database is unreachable, the known keys sign and verify', async () => {
  const { issuer, verifier } = await newNode({ refreshMs: 0 });
  await storage.database.close();
  const { token } = await issuer.issue(subject);
  expect(await verifier.verify(token)).toMatchObject({ userId: 'alice' });
});
