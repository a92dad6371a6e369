import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorFromStatus } from '../../../pkg/chat-client/errors/status.ts';
import { newGroup, type Person, personOf, say } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

const messagesPerSecond = 20;
const limited = { code: 'RESOURCE_EXHAUSTED', reason: 'RATE_LIMITED', retryAfterMs: expect.any(Number) };

let service: TestService;
beforeAll(async () => {
  service = await startTestService({
    RATE_LIMIT_MESSAGES: String(messagesPerSecond),
    RATE_LIMIT_CALLS: '30',
    RATE_LIMIT_GUESTS: '5',
    RATE_LIMIT_SIGN_INS: '5',
  });
});
afterAll(() => service.stop());

async function person(name: string): Promise<Person> {
  const { token } = await issueToken(service.dsn, { userId: name, name });
  return personOf(service.transport(), { id: name, name, token });
}

test('a user who sends too fast is refused with a retry time, and may send again later', async () => {
  const alice = await person('alice');
  const group = await newGroup(alice);

  const begun = performance.now();
  const results = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => say(alice, group, `${i}`)));
  const seconds = Math.ceil((performance.now() - begun) / 1_000);

  const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason);
  const accepted = results.length - refused.length;
  expect(accepted).toBeGreaterThanOrEqual(messagesPerSecond);
  expect(accepted).toBeLessThanOrEqual(seconds * messagesPerSecond);
  for (const error of refused) expect(error).toMatchObject(limited);
  const { retryAfterMs } = refused.at(-1);
  expect(retryAfterMs).toBeGreaterThan(0);
  expect(retryAfterMs).toBeLessThanOrEqual(1_000);
  const { seq } = await eventually(() => say(alice, group, 'patient'));
  expect(seq).toBe(accepted + 2);
});

test('all calls except messages share a limit, which is separate for each user', async () => {
  const [bob, carol] = [await person('bob'), await person('carol')];
  const group = await newGroup(bob);

  // All calls must be within one second. A busy machine may need several attempts.
  await eventually(async () => {
    const calls = Array.from({ length: 40 }, () => bob.chat.getChat({ chatId: group.id }));
    const results = await Promise.allSettled(calls);
    expect(results.filter(({ status }) => status === 'rejected').length).toBeGreaterThanOrEqual(10);
    await expect(bob.chat.listRooms({})).rejects.toMatchObject(limited);
  });
  await expect(say(bob, group, 'still allowed')).resolves.toMatchObject({ seq: 2 });
  await expect(carol.chat.listRooms({})).resolves.toBeDefined();
});

test('a flood of commands on a stream is refused and read slowly, without a delay for other users', async () => {
  const [mallory, erin] = [await person('mallory'), await person('erin')];
  const [target, quiet] = [await newGroup(mallory), await newGroup(erin)];
  const flood = await mallory.connect();
  const begun = performance.now();
  for (let i = 0; i < 2_000; i += 1) flood.send(commands.send(target.id, `${i}`));
  await flood.nextOf('rejected');
  expect(errorFromStatus(flood.all('rejected')[0]!.status!)).toMatchObject(limited);

  const stream = await erin.connect();
  for (let i = 0; i < 10; i += 1) {
    expect(await stream.ask(commands.send(quiet.id, `${i}`))).toMatchObject({ $case: 'accepted' });
  }

  // Erin has all her answers although few commands of the flood have been read.
  const answered = flood.all('accepted').length + flood.all('rejected').length;
  expect(answered).toBeLessThan(500);
  const seconds = Math.ceil((performance.now() - begun) / 1_000);
  expect(flood.all('accepted').length).toBeLessThanOrEqual((seconds + 1) * messagesPerSecond);
});

test('sign-ins of guests are limited by address', async () => {
  const { auth } = service.transport();
  const results = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => auth.guest({ name: `guest-${i}` }, {})));
  const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason);
  expect(refused).toHaveLength(3);
  for (const error of refused) expect(error).toMatchObject(limited);
});

test('logins are limited by address, for all names together, and a client cannot forge its address', async () => {
  const attempt = async (i: number) => {
    const response = await fetch(`${service.url}/v1/auth/login`, {
      method: 'POST',
      body: JSON.stringify({ username: `name-${i}`, password: 'wrong' }),
      headers: { 'x-forwarded-for': `203.0.113.${i}`, 'grpc-metadata-x-forwarded-for': `198.51.100.${i}` },
    });
    return [response.status, Number(response.headers.get('retry-after'))] as const;
  };
  for (let i = 0; i < 5; i += 1) expect((await attempt(i))[0]).toBe(401);
  for (let i = 5; i < 10; i += 1) {
    const [status, retryAfter] = await attempt(i);
    expect(status).toBe(429);
    expect(retryAfter).toBeGreaterThan(0);
  }
});
