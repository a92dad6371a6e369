import { expect, test } from 'vitest';
import { accessToken, type TokenSource } from '../../pkg/chat-client/auth/token-source.ts';
import { startTestService, type TestService } from '../testing/services/test-service.ts';
import { issueToken } from '../testing/services/tokens.ts';
import { Checker } from './checker/checker.ts';
import type { Verdict } from './checker/verdict.ts';
import { Journal } from './history/journal.ts';
import { formatVerdict } from './report/format-verdict.ts';
import { runWorkload } from './workload/run-workload.ts';

// Slow: random clients use a service for seconds.

/** A few hundred operations over all transports. */
async function verify(
  service: TestService,
  operations = 300,
  tokens?: (index: number) => TokenSource,
): Promise<Verdict> {
  const checker = new Checker();
  const journal = new Journal((record) => checker.add(record));
  const deployment = { grpc: [service.address], http: [service.url] };
  await runWorkload(deployment, journal, {
    seed: 1,
    clients: 8,
    operations,
    durationMs: 60_000,
    paceMs: 5,
    faultsExpected: false,
    bounds: { deliveryMs: 10_000, revocationMs: 1_000 },
    settleMs: 10_000,
    tokens,
  });
  return checker.finish();
}

test('the service keeps its promises to clients on every transport', async () => {
  const service = await startTestService();
  const verdict = await verify(service);
  await service.stop();

  expect(verdict.violations, formatVerdict(verdict)).toEqual([]);
  const { figures } = verdict;
  expect(figures.acknowledged).toBeGreaterThan(50);
  expect(figures.audited).toBeGreaterThan(3);
  const ways = ['grpc', 'ws-proto', 'ws-json', 'sse', 'sdk-grpc', 'sdk-ws'].map((way) => `send by ${way}`);
  expect(Object.keys(figures.byName)).toEqual(expect.arrayContaining(ways));
  expect(figures.changed).toBeGreaterThan(20);
});

test('the service keeps its promises while administrators ban users', async () => {
  const service = await startTestService();
  const roles = (index: number) => (index === 1 || index === 2 ? (['admin'] as const) : (['user'] as const));
  const verdict = await verify(service, 800, (index) =>
    accessToken(async () => {
      const issued = await issueToken(service.dsn, { userId: `user-${index}`, roles: [...roles(index)] });
      return { token: issued.token, expiresAt: issued.expiresAt };
    }),
  );
  await service.stop();

  expect(verdict.violations, formatVerdict(verdict)).toEqual([]);
  expect(verdict.figures.byName.banUser?.ok).toBeGreaterThan(0);
});
