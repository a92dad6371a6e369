import { afterAll, beforeAll, expect, test } from 'vitest';
import { newGroup, personOf, say, signIn } from '../testing/clients/person.ts';
import { commands } from '../testing/clients/stream-probe.ts';
import { LogLines } from '../testing/collectors/log-lines.ts';
import { eventually } from '../testing/eventually.ts';
import { startTestService, type TestService } from '../testing/services/test-service.ts';
import { issueToken } from '../testing/services/tokens.ts';

const log = new LogLines('trace');
let service: TestService;
beforeAll(async () => {
  service = await startTestService({}, { log: log.logger });
});
afterAll(() => service.stop());

test('each call writes one line with its method, user, status code and duration', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  log.lines.length = 0;

  await say(alice, group, 'hello');
  await alice.chat.getChat({ chatId: 'nonsense' }).catch(() => {});
  await personOf(service.transport(), { ...alice, token: 'nonsense' })
    .chat.listChats({})
    .catch(() => {});

  await eventually(() => expect(log.lines).toHaveLength(3));
  const common = {
    level: 30,
    msg: 'call',
    durationMs: expect.any(Number),
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
  };
  expect(log.lines[0]).toMatchObject({ ...common, method: 'SendMessage', code: 'OK', user: alice.id });
  expect(log.lines[1]).toMatchObject({ ...common, method: 'GetChat', code: 'INVALID_ARGUMENT', user: alice.id });
  expect(log.lines[2]).toMatchObject({ ...common, method: 'ListChats', code: 'UNAUTHENTICATED' });
  expect(log.lines[2]).not.toHaveProperty('user');
});

test('a stream writes one line when it ends, and none for its commands and events', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  log.lines.length = 0;
  const stream = await alice.connect();
  for (let i = 0; i < 5; i += 1) await stream.ask(commands.send(group.id, `${i}`));
  await stream.ask(commands.subscribe('nonsense'));
  expect(log.lines).toEqual([]);

  stream.close();

  await eventually(() => expect(log.lines).toHaveLength(1));
  expect(log.lines[0]).toMatchObject({
    msg: 'stream ended',
    method: 'ConnectChat',
    code: 'CANCELLED',
    user: alice.id,
  });
});

test('neither tokens nor message texts are in the log, even at the lowest log level', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const secret = 'what nobody else may read';
  const tokens = [
    alice.token,
    (await issueToken(service.dsn, { userId: 'late' }, { ttlMs: -60_000 })).token,
    (await issueToken(service.dsn, { userId: 'elsewhere' }, { issuer: 'elsewhere' })).token,
    'eyJnonsense.eyJnonsense.nonsense',
  ];

  const stream = await alice.connect();
  for (const token of tokens) {
    const person = personOf(service.transport(), { ...alice, token });
    await say(person, group, secret).catch(() => {});
    await person.connect().catch(() => {});
    await stream.ask(commands.authenticate(token));
  }
  await stream.ask(commands.send(group.id, `${secret}\0`));
  stream.close();
  await eventually(() => expect(log.lines.at(-1)?.msg).toBe('stream ended'));

  const written = JSON.stringify(log.lines);
  for (const token of tokens) for (const part of token.split('.')) expect(written).not.toContain(part);
  expect(written).not.toContain(secret);
});
