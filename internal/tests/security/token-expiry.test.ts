import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { CloseReason } from '../../../pkg/api/chat/v1/chat.ts';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { ChatClient, type ConnectionState, guest, type Message } from '../../../pkg/chat-client/index.ts';
import { newGroup, newRoom, personOf, say, signIn, uniqueName } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ AUTH_TOKEN_TTL_SECONDS: '2' });
});
afterAll(() => service.stop());

test('a stream ends with the reason when its token expires, not before, and gets no later event', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const stream = await alice.connect();
  await stream.ask(commands.subscribe(group.id));
  const { tokenExpiresAt } = await stream.nextOf('welcome');

  const error = await stream.ended;

  expect(Date.now() - tokenExpiresAt!.getTime()).toBeGreaterThanOrEqual(0);
  expect(error).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'TOKEN_EXPIRED' });
  expect(stream.events.at(-1)).toEqual({
    $case: 'closing',
    value: { reason: CloseReason.TOKEN_EXPIRED, retryAfterMs: 0 },
  });
  expect(service.app.sessions.size).toBe(0);
});

test('a stream that gets a new token in time continues', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const stream = await alice.connect();
  await stream.ask(commands.subscribe(group.id));
  const { tokenExpiresAt } = await stream.nextOf('welcome');
  const { token } = await issueToken(service.dsn, { userId: alice.id, name: alice.name });

  expect(await stream.ask(commands.authenticate(token))).toMatchObject({ $case: 'accepted' });

  await eventually(() => expect(Date.now()).toBeGreaterThan(tokenExpiresAt!.getTime() + 500));
  await say(personOf(service.transport(), { ...alice, token }), group, 'still here');
  await stream.until(() => stream.messages(group.id).length === 1);
  expect(stream.all('closing')).toEqual([]);
  stream.close();
});

test('the SDK renews its token on the open stream', async () => {
  const transport = grpcTransport(service.address);
  let tokens = 0;
  const source = guest(uniqueName('lasting'));
  const client = new ChatClient({
    transport,
    token: (...args) => {
      tokens += 1;
      return source(...args);
    },
  });
  onTestFinished(() => client.close());
  const states: ConnectionState['kind'][] = [];
  client.on('state', ({ kind }) => states.push(kind));
  const heard: Message[] = [];
  client.on('message', (message) => heard.push(message));
  await client.connect();
  const room = await client.joinRoom(uniqueName('room'));

  for (let i = 0; tokens < 4; i += 1) {
    const seen = tokens;
    await client.send(room.id, `${i}`);
    await eventually(() => expect(tokens).toBeGreaterThan(seen));
  }
  const { seq } = await client.send(room.id, 'the last one');

  await eventually(() => expect(heard.at(-1)?.seq).toBe(seq));
  expect(states.filter((kind) => kind !== 'connecting')).toEqual(['online']);
});

test('a stream with an expired token gets no event', async () => {
  const alice = await signIn(service.transport(), 'alice');
  const { token } = await issueToken(service.dsn, { userId: alice.id }, { ttlMs: -1_000 });
  const room = await newRoom(alice);

  const stream = personOf(service.transport(), { ...alice, token }).open();
  stream.send(commands.subscribe(room.id, 0));

  expect(await stream.ended).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'TOKEN_EXPIRED' });
  expect(stream.all('message')).toEqual([]);
});
