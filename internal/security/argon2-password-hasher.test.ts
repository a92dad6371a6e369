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

test('a digest of another program is understood', async () => {
  const hash = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  // Source: the test vectors of the reference implementation, phc-winner-argon2/src/test.c
  expect(await new Argon2PasswordHasher().verify('password', hash)).toBe(true);
  expect(await new Argon2PasswordHasher().verify('passwore', hash)).toBe(false);
});

test('it does not matter how a keyboard composes a character', async () => {
  const hasher = new Argon2PasswordHasher({ cost: quick });
  expect(await hasher.verify('cafe\u0301', await hasher.hash('caf\u00e9'))).toBe(true);
});

test('a digest of other parameters is told apart, and still matches', async () => {
  const hash = await new Argon2PasswordHasher({ cost: quick }).hash('x');
  const hasher = new Argon2PasswordHasher({ cost: { ...quick, passes: 2 } });
  expect([hasher.isOutdated(hash), hasher.isOutdated(await hasher.hash('x'))]).toEqual([true, false]);
  expect(await hasher.verify('x', hash)).toBe(true);
});

test('a few are digested at a time, some wait, and the others are told to come back', async () => {
  const hasher = new Argon2PasswordHasher({ cost: quick, maxAtOnce: 2, maxWaiting: 3 });
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => hasher.hash('x')));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
  for (const result of results) {
    if (result.status === 'rejected')
      expect(result.reason).toMatchObject({ reason: 'RATE_LIMITED', retryAfterMs: 1_000 });
  }
  expect(await hasher.hash('x')).toMatch(/^\$argon2id/);
});

test('those who come while others wait do not push in', async () => {
  const hasher = new Argon2PasswordHasher({ cost: quick, maxAtOnce: 1, maxWaiting: 1 });
  const [first, second] = [hasher.hash('x'), hasher.hash('x')];
  await first;
  // The second one's turn is now.
  const third = hasher.hash('x');
  await expect(hasher.hash('x')).rejects.toMatchObject({ reason: 'RATE_LIMITED' });
  await Promise.all([second, third]);
});
