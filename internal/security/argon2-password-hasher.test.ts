import { expect, test } from 'vitest';
import { Argon2PasswordHasher } from './argon2-password-hasher.ts';

const quick = { memory: 64, passes: 1, parallelism: 1 };

test('a password matches its own digest, and no other does', async () => {
  const hasher = new Argon2PasswordHasher();
  const hash = await hasher.hash('correct horse');
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(await hasher.verify('correct horse', hash)).toBe(true);
  expect(await hasher.verify('Correct horse', hash)).toBe(false);
  expect(await hasher.verify('', hash)).toBe(false);
});

test('the same password has another digest each time', async () => {
  const hasher = new Argon2PasswordHasher({ cost: quick });
  expect(await hasher.hash('x')).not.toBe(await hasher.hash('x'));
});

test('a digest made by another program is verified', async () => {
  const hash = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  // Source: the test vectors of the reference implementation, phc-winner-argon2/src/test.c
  expect(await new Argon2PasswordHasher().verify('password', hash)).toBe(true);
  expect(await new Argon2PasswordHasher().verify('passwore', hash)).toBe(false);
});

test('a password matches however a keyboard composes its characters', async () => {
  const hasher = new Argon2PasswordHasher({ cost: quick });
  expect(await hasher.verify('cafe\u0301', await hasher.hash('caf\u00e9'))).toBe(true);
});

test('a digest with other parameters is outdated and still matches', async () => {
  const hash = await new Argon2PasswordHasher({ cost: quick }).hash('x');
  const hasher = new Argon2PasswordHasher({ cost: { ...quick, passes: 2 } });
  expect([hasher.isOutdated(hash), hasher.isOutdated(await hasher.hash('x'))]).toEqual([true, false]);
  expect(await hasher.verify('x', hash)).toBe(true);
});

test('a few passwords are digested at a time, some wait, and further ones are refused with a retry time', async () => {
  const hasher = new Argon2PasswordHasher({ cost: quick, maxAtOnce: 2, maxWaiting: 3 });
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => hasher.hash('x')));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
  for (const result of results) {
    if (result.status === 'rejected')
      expect(result.reason).toMatchObject({ reason: 'RATE_LIMITED', retryAfterMs: 1_000 });
  }
  expect(await hasher.hash('x')).toMatch(/^\$argon2id/);
});

test('waiting calls are served in order, and later calls do not overtake them', async () => {
  const hasher = new Argon2PasswordHasher({ cost: quick, maxAtOnce: 1, maxWaiting: 1 });
  const [first, second] = [hasher.hash('x'), hasher.hash('x')];
  await first;
  // The second call has its slot now.
  const third = hasher.hash('x');
  await expect(hasher.hash('x')).rejects.toMatchObject({ reason: 'RATE_LIMITED' });
  await Promise.all([second, third]);
});
