import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { startRedis } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { newGroup, type Person, personOf, signIn } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

// Slow: a node counts as dead only after it has missed its heartbeats for ten seconds.
let redis: ServerProcess;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const settings = {
  PostgreSQL: (): Record<string, string> => ({ BUS_URL: 'postgres:' }),
  Redis: (): Record<string, string> => ({
    BUS_URL: 'postgres:',
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    REDIS_PREFIX: `test-${crypto.randomUUID()}:`,
  }),
};

const online = async ({ chat }: Person) => (await chat.listOnlineUsers({})).users.map(({ id }) => id).sort();
const ids = (...people: Person[]) => people.map(({ id }) => id).sort();
/** Returns the same user on another node. */
const on = (transport: Transport, person: Person) => personOf(transport, person);

describe.each(Object.entries(settings))('nodes that share %s', (_, env) => {
  test('see a user online until the user’s last stream on any node ends', async () => {
    const shared = { POSTGRES_DSN: await createTestDatabase(), ...env() };
    const [here, there] = [await startNode(shared), await startNode(shared)];
    const [alice, bob] = [await signIn(here.transport(), 'alice'), await signIn(there.transport(), 'bob')];
    const [first, second] = [await alice.connect(), await on(there.transport(), alice).connect()];
    await bob.connect();
    for (const anyone of [alice, bob]) expect(await online(anyone)).toEqual(ids(alice, bob));
    first.close();
    await second.ask(commands.ping());
    for (const anyone of [alice, bob]) expect(await online(anyone)).toEqual(ids(alice, bob));
    second.close();
    for (const anyone of [alice, bob]) await eventually(async () => expect(await online(anyone)).toEqual(ids(bob)));
  });

  test('see the users of a frozen or killed node go offline', async () => {
    const shared = { POSTGRES_DSN: await createTestDatabase(), ...env() };
    const survivor = await startNode(shared);
    const killed = await ChildService.start({ ...shared, GATEWAY: 'false' });
    const transport = grpcTransport(killed.address);
    onTestFinished(() => transport.close());
    const [alice, bob] = [await signIn(transport, 'alice'), await signIn(survivor.transport(), 'bob')];
    const group = await newGroup(bob, alice);
    const stream = await bob.connect();
    expect(await stream.ask(commands.subscribe(group.id))).toMatchObject({ $case: 'subscribed' });
    await alice.connect();
    await eventually(async () => expect(await online(bob)).toEqual(ids(alice, bob)));
    killed.signal('SIGSTOP');
    await eventually(async () => expect(await online(bob)).toEqual(ids(bob)));
    killed.signal('SIGCONT');
    await eventually(async () => expect(await online(bob)).toEqual(ids(alice, bob)));
    killed.signal('SIGKILL');
    await eventually(async () => expect(await online(bob)).toEqual(ids(bob)));
    await eventually(() => expect(stream.all('presence').at(-1)).toMatchObject({ online: false }));
  });

  test('announce that the users of a stopped node are offline', async () => {
    const shared = { POSTGRES_DSN: await createTestDatabase(), ...env() };
    const survivor = await startNode(shared);
    const stopped = await startTestService(shared);
    const [alice, bob] = [await signIn(stopped.transport(), 'alice'), await signIn(survivor.transport(), 'bob')];
    const group = await newGroup(bob, alice);
    const stream = await bob.connect();
    expect(await stream.ask(commands.subscribe(group.id))).toMatchObject({ $case: 'subscribed' });
    await alice.connect();
    await eventually(() => expect(stream.all('presence').at(-1)).toMatchObject({ online: true }));
    await stopped.stop();
    expect(await online(bob)).toEqual(ids(bob));
    await eventually(() => expect(stream.all('presence').at(-1)).toMatchObject({ online: false }));
  });
});

test('nodes start without Redis, and share presence once it is reachable', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  await server.kill();
  const log = new LogLines('info');
  const env = { POSTGRES_DSN: await createTestDatabase(), REDIS_URL: `redis://127.0.0.1:${server.port}` };
  const [here, there] = [await startNode(env, log), await startNode(env)];
  const [alice, bob] = [await signIn(here.transport(), 'alice'), await signIn(there.transport(), 'bob')];
  await alice.connect();
  await bob.connect();
  expect(await online(alice)).toEqual(ids(alice));
  await server.restart();
  for (const anyone of [alice, bob])
    await eventually(async () => expect(await online(anyone)).toEqual(ids(alice, bob)));
  const about = log.lines.filter(({ msg }) => /Redis|presence/.test(msg)).map(({ level, msg }) => `${level} ${msg}`);
  expect(about).toEqual([
    '40 Redis is away',
    '40 presence cannot be shared at the moment: this node knows only its own users',
    '30 Redis is back',
    '30 presence is shared with the other nodes again',
  ]);
});

test('nodes that share Redis share the rate limits', async () => {
  const env = { ...settings.Redis(), POSTGRES_DSN: await createTestDatabase(), RATE_LIMIT_GUESTS: '6' };
  const [here, there] = [await startNode(env), await startNode(env)];
  const attempts: boolean[] = [];
  for (let count = 0; count < 8; count += 1) {
    const { auth } = (count % 2 ? here : there).transport();
    attempts.push(
      await auth.guest({ name: 'guest' }, {}).then(
        () => true,
        () => false,
      ),
    );
  }
  expect(attempts).toEqual([true, true, true, true, true, true, false, false]);
});

async function startNode(env: Record<string, string>, log = new LogLines()): Promise<TestService> {
  const node = await startTestService(env, { log: log.logger });
  onTestFinished(() => node.stop());
  return node;
}
