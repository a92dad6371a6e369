import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import type { FlexibleRateLimiter, Rates } from './flexible-rate-limiter.ts';

/** Runs all uses at once. Returns 'ok' or the error's reason for each. */
export async function outcomes(uses: (() => Promise<void>)[]): Promise<string[]> {
  const settled = await Promise.allSettled(uses.map((use) => use()));
  return settled.map((result) => (result.status === 'fulfilled' ? 'ok' : result.reason.reason));
}

export const times = (count: number, use: () => Promise<void>) => Array.from({ length: count }, () => use);

/** Registers the tests that every rate limiter must pass. Each limiter that `create` returns must begin with no uses counted. */
export function testRateLimiter(create: (rates: Rates) => FlexibleRateLimiter): void {
  test('allows the configured number of uses and refuses the next, separately for each caller and each named method', async () => {
    const limiter = create({
      named: { SendMessage: { points: 3, seconds: 60 }, Guest: { points: 1, seconds: 60 } },
      others: { points: 2, seconds: 60 },
    });
    const send = (caller: string) => () => limiter.consume('SendMessage', caller);
    expect(await outcomes(times(4, send('alice')))).toEqual(['ok', 'ok', 'ok', 'RATE_LIMITED']);
    expect(await outcomes(times(3, send('bob')))).toEqual(['ok', 'ok', 'ok']);
    expect(await outcomes([() => limiter.consume('Guest', 'alice'), () => limiter.consume('Guest', 'alice')])).toEqual([
      'ok',
      'RATE_LIMITED',
    ]);
    // All others count together.
    const others = ['GetChat', 'ListChats', 'Command', 'constructor'].map(
      (method) => () => limiter.consume(method, 'alice'),
    );
    expect(await outcomes(others)).toEqual(['ok', 'ok', 'RATE_LIMITED', 'RATE_LIMITED']);
  });

  test('says how long to wait, and allows a use after that time', async () => {
    const limiter = create({ named: {}, others: { points: 1, seconds: 1 } });
    await limiter.consume('GetChat', 'alice');
    for (let refusals = 0; refusals < 3; refusals += 1) {
      const error = await limiter.consume('GetChat', 'alice').catch((error) => error);
      expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'RATE_LIMITED' });
      expect(error.retryAfterMs).toBeGreaterThan(600);
      expect(error.retryAfterMs).toBeLessThanOrEqual(1_001);
      if (refusals < 2) continue;
      const after = Date.now() + error.retryAfterMs;
      await eventually(() => expect(Date.now()).toBeGreaterThanOrEqual(after));
    }
    await limiter.consume('GetChat', 'alice');
  });

  test('forgets the uses of one caller', async () => {
    const rates = { named: { Password: { points: 2, seconds: 60 } }, others: { points: 1, seconds: 60 } };
    const limiter = create(rates);
    const [alice, bob] = [randomUUID(), randomUUID()];
    const attempt = (caller: string) => () => limiter.consume('Password', caller);
    expect(await outcomes(times(2, attempt(alice)))).toEqual(['ok', 'ok']);
    expect(await outcomes(times(3, attempt(bob)))).toEqual(['ok', 'ok', 'RATE_LIMITED']);
    await limiter.forget('Password', alice);
    expect(await outcomes(times(3, attempt(alice)))).toEqual(['ok', 'ok', 'RATE_LIMITED']);
    expect(await outcomes(times(1, attempt(bob)))).toEqual(['RATE_LIMITED']);
    await limiter.forget('Password', 'nobody');
  });

  test('other rates apply at once, and the counts of unchanged ones remain', async () => {
    const rates = (send: number, guest: number, others: number) => ({
      named: { SendMessage: { points: send, seconds: 60 }, Guest: { points: guest, seconds: 60 } },
      others: { points: others, seconds: 60 },
    });
    const limiter = create(rates(1, 1, 0));
    const use = (method: string, count: number) => outcomes(times(count, () => limiter.consume(method, 'alice')));
    expect(await use('SendMessage', 2)).toEqual(['ok', 'RATE_LIMITED']);
    expect(await use('Guest', 2)).toEqual(['ok', 'RATE_LIMITED']);
    limiter.setRates(rates(0, 1, 1));
    expect(await use('SendMessage', 3)).toEqual(['ok', 'ok', 'ok']);
    expect(await use('Guest', 1)).toEqual(['RATE_LIMITED']);
    expect(await use('GetChat', 2)).toEqual(['ok', 'RATE_LIMITED']);
    limiter.setRates(rates(0, 5, 1));
    expect((await use('Guest', 1))[0]).toBe('ok');
  });

  test('does not limit a method with 0 points', async () => {
    const limiter = create({
      named: { SendMessage: { points: 0, seconds: 1 } },
      others: { points: 1, seconds: 60 },
    });
    const results = await outcomes(times(1_000, () => limiter.consume('SendMessage', 'alice')));
    expect(new Set(results)).toEqual(new Set(['ok']));
    expect(await outcomes(times(2, () => limiter.consume('GetChat', 'alice')))).toEqual(['ok', 'RATE_LIMITED']);
  });
}
