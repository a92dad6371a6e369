// Slow: a real Prometheus watches services whose parts fail.
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import { freePort } from '../../embedded/server/free-port.ts';
import { dashboards, panelsOf } from '../../monitoring/dashboards.ts';
import { toPromql } from '../../monitoring/panels/query.ts';
import { startNats } from '../../servers/brokers.ts';
import { startAlertmanager } from '../../servers/monitoring.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { newGroup, newRoom, type Person, say, signIn } from '../../testing/clients/person.ts';
import { RawReader } from '../../testing/clients/raw-reader.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { LossyBus } from '../../testing/faults/lossy-bus.ts';
import { holdMessages } from '../../testing/faults/row-lock.ts';
import { startTcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { ingestEnv } from '../../testing/services/ingest-env.ts';
import { ReplicatedPostgres } from '../../testing/services/replicated-postgres.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { TestPrometheus } from '../../testing/services/test-prometheus.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

async function watch(port: number, alertmanager?: ServerProcess): Promise<TestPrometheus> {
  const prometheus = await TestPrometheus.start([port], alertmanager);
  onTestFinished(() => prometheus.stop());
  return prometheus;
}

async function start(env: Record<string, string>, overrides: Parameters<typeof startTestService>[1] = {}) {
  const service = await startTestService({ ADMIN: 'true', ADMIN_PORT: '0', ...env }, overrides);
  onTestFinished(() => service.stop());
  const prometheus = await watch(service.app.adminPort!);
  return { service, prometheus };
}

/** Starts a service whose PostgreSQL is behind a proxy. */
async function startBehindProxy(env: Record<string, string> = {}) {
  const dsn = await createTestDatabase();
  const proxy = await startTcpProxy(dsn);
  onTestFinished(() => proxy.close());
  return { ...(await start(env, { dsn: proxy.dsn })), dsn, proxy };
}

/** Starts NATS; `stop` ends it for good. */
async function broker(): Promise<ServerProcess> {
  const nats = await startNats();
  onTestFinished(() => nats.stop());
  return nats;
}

/** Repeats the action, whatever comes of it, until these alerts fire. */
const untilFiring = (prometheus: TestPrometheus, names: string[], action: () => unknown = () => {}) =>
  eventually(async () => {
    await action();
    expect(await prometheus.alerts()).toEqual(expect.arrayContaining(names));
  });

/** The largest value that a panel shows now. `legend` selects one of its queries. */
async function shown(prometheus: TestPrometheus, uid: string, title: string, legend?: string): Promise<number> {
  const panel = panelsOf(dashboards.find((dashboard) => dashboard.uid === uid)!).find((one) => one.title === title)!;
  const queries = panel.queries.filter((query) => legend === undefined || query.legend === legend);
  const scope = { nodes: 'job="chat"', window: '15s' };
  const samples = await Promise.all(queries.map(({ query }) => prometheus.query(toPromql(query, scope))));
  return Math.max(...samples.flat().map(({ value }) => value));
}

const untilQuiet = (prometheus: TestPrometheus) =>
  eventually(async () => expect(await prometheus.alerts('pending|firing')).toEqual([]));

async function query(dsn: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: dsn });
  await client.connect();
  await client.query(text).finally(() => client.end());
}

async function aliceIn(service: TestService): Promise<Person> {
  return signIn(service.transport(), 'alice');
}

test('PostgreSQL away: ChatDatabaseAway, ChatNotReady, ChatCallsFail; afterwards none', async () => {
  const { service, prometheus, proxy } = await startBehindProxy();
  const alice = await aliceIn(service);
  proxy.cut();
  const failing = ['ChatDatabaseAway', 'ChatNotReady', 'ChatCallsFail'];
  await untilFiring(prometheus, failing, () => alice.chat.listChats({}).catch(() => {}));
  proxy.restore();
  await untilQuiet(prometheus);
});

test('PostgreSQL slow: ChatDatabaseSlow, ChatCommitsSlow, ChatAcknowledgementsSlow, ChatDeliveriesLate', async () => {
  const { service, prometheus, proxy } = await startBehindProxy();
  const alice = await aliceIn(service);
  const group = await newGroup(alice);
  const reader = await alice.connect();
  await reader.ask(commands.subscribe(group.id));
  proxy.slow(700);
  await untilFiring(
    prometheus,
    ['ChatDatabaseSlow', 'ChatCommitsSlow', 'ChatAcknowledgementsSlow', 'ChatDeliveriesLate'],
    () => say(alice, group, 'slow'),
  );
  // The way of docs/monitoring.md.
  expect(await shown(prometheus, 'chat-path', 'Time to delivery')).toBeGreaterThan(0.5);
  expect(await shown(prometheus, 'chat-path', 'Time of commits')).toBeGreaterThan(0.5);
  expect(await shown(prometheus, 'chat-path', 'Losses and repairs', 'losses')).toBe(0);
  expect(await shown(prometheus, 'chat-database', 'Time of an empty query')).toBeGreaterThan(0.25);
});

test('a table that is locked: ChatCommitsSlow, while an empty query is fast', async () => {
  const { service, prometheus } = await start({});
  const alice = await aliceIn(service);
  const group = await newGroup(alice);
  await untilFiring(prometheus, ['ChatCommitsSlow'], async () => {
    const release = await holdMessages(service.dsn);
    const said = say(alice, group, 'slow');
    const since = await prometheus.now();
    await eventually(async () => expect(await prometheus.now()).toBeGreaterThan(since + 1));
    await release();
    await said;
  });
  expect(await shown(prometheus, 'chat-path', 'Time of commits')).toBeGreaterThan(0.5);
  await eventually(async () =>
    expect(await shown(prometheus, 'chat-database', 'Time of an empty query')).toBeLessThan(0.25),
  );
});

test('a table that is locked: ChatPoolWaits', async () => {
  const { service, prometheus } = await start({ POSTGRES_POOL_SIZE: '4' });
  const alice = await aliceIn(service);
  const release = await holdMessages(service.dsn);
  // Those that wait for a connection are refused after two seconds.
  const calls: Promise<unknown>[] = [];
  await untilFiring(prometheus, ['ChatPoolWaits'], () => calls.push(newGroup(alice).catch(() => {})));
  await release();
  await Promise.all(calls);
});

test('a standby away: ChatCommitsGivenUp', async () => {
  const servers = await ReplicatedPostgres.start({ synchronous: true });
  onTestFinished(() => servers.stop());
  const env = { POSTGRES_DSN: await servers.createDatabase('chat'), CALL_TIMEOUT_MS: '1000', WRITER_GIVE_UP_MS: '900' };
  const { service, prometheus } = await start(env);
  const alice = await aliceIn(service);
  const group = await newGroup(alice);
  servers.disconnectStandby();
  await untilFiring(prometheus, ['ChatCommitsGivenUp'], () => say(alice, group, 'given up').catch(() => {}));
  await servers.connectStandby();
});

test('a failover: ChatHistoryReset', async () => {
  const servers = await ReplicatedPostgres.start();
  onTestFinished(() => servers.stop());
  const { service, prometheus } = await start({}, { dsn: await servers.createDatabase('chat') });
  const alice = await aliceIn(service);
  const group = await newGroup(alice);
  const reader = await alice.connect();
  await reader.ask(commands.subscribe(group.id));
  await servers.killPrimary();
  await servers.promote();
  await untilFiring(prometheus, ['ChatHistoryReset'], () => say(alice, group, 'new').catch(() => {}));
});

test('NATS away: ChatBusAway and ChatExportFails; again and again: ChatBusUnsteady', async () => {
  const nats = await broker();
  const url = `nats://127.0.0.1:${nats.port}`;
  const { service, prometheus } = await start({ BUS_URL: url, NATS_URL: url, EXPORT: 'jetstream' });
  const alice = await aliceIn(service);
  const group = await newGroup(alice);
  await nats.kill();
  await untilFiring(prometheus, ['ChatBusAway', 'ChatExportFails'], () => say(alice, group, 'not exported'));
  const connected = async (is: number) => expect((await prometheus.query('chat_bus_connected'))[0]?.value).toBe(is);
  await untilFiring(prometheus, ['ChatBusUnsteady'], async () => {
    await nats.restart();
    await eventually(() => connected(1));
    await nats.kill();
    await eventually(() => connected(0));
  });
});

test('a bus that loses publications: ChatManyRepairs', async () => {
  const bus = new LossyBus(new MemoryBus(), { chat: () => 'lose' });
  const { service, prometheus } = await start({}, { bus });
  const alice = await aliceIn(service);
  const groups = await Promise.all(Array.from({ length: 5 }, () => newGroup(alice)));
  const reader = await alice.connect();
  for (const { id } of groups) await reader.ask(commands.subscribe(id));
  await untilFiring(prometheus, ['ChatManyRepairs'], () =>
    Promise.all(groups.map((group) => say(alice, group, 'lost'))),
  );
});

test('readers who do not read: ChatReadersCatchUp', async () => {
  const { service, prometheus } = await start({ OUTBOX_BYTES: '65536' });
  const alice = await aliceIn(service);
  const room = await newRoom(alice);
  const readers = Array.from({ length: 6 }, () => new RawReader(service.address, alice.token));
  for (const reader of readers) reader.subscribe(room.id);
  await eventually(() => expect(readers.every(({ caughtUp }) => caughtUp)).toBe(true));
  for (const reader of readers) reader.call.pause();
  await untilFiring(prometheus, ['ChatReadersCatchUp'], () =>
    Promise.all(Array.from({ length: 20 }, () => say(alice, room, 'x'.repeat(4_000)))),
  );
  for (const reader of readers) reader.call.resume();
});

test('with JetStream, PostgreSQL away: ChatIngestWaits, later ChatIngestLate; a message that cannot be written: ChatIngestRefused', async () => {
  const nats = await broker();
  const { service, prometheus, proxy, dsn } = await startBehindProxy(ingestEnv(nats));
  const alice = await aliceIn(service);
  const group = await newGroup(alice);
  await say(alice, group, 'a sender who is remembered');
  proxy.cut();
  const sayMany = () => Promise.all(Array.from({ length: 200 }, (_, i) => say(alice, group, `${i}`).catch(() => {})));
  await untilFiring(prometheus, ['ChatIngestWaits', 'ChatDatabaseAway'], sayMany);
  expect(await prometheus.alerts()).not.toContain('ChatNotReady');
  await eventually(async () =>
    expect(await prometheus.query('min_over_time(chat_ingest_waiting_messages[6s]) > 0')).toHaveLength(1),
  );
  proxy.restore();
  await untilFiring(prometheus, ['ChatIngestLate']);
  await query(
    dsn,
    `create function refuse() returns trigger language plpgsql as $$
     begin raise exception 'a bad text' using errcode = '22000'; end $$;
     create trigger refuse before insert on messages for each row execute function refuse()`,
  );
  await say(alice, group, 'bad');
  await untilFiring(prometheus, ['ChatIngestRefused']);
});

test('clients beyond their limit: ChatAbuse', async () => {
  const { service, prometheus } = await start({ RATE_LIMIT_MESSAGES: '1' });
  const alice = await aliceIn(service);
  const group = await newGroup(alice);
  await untilFiring(prometheus, ['ChatAbuse'], () =>
    Promise.allSettled(Array.from({ length: 20 }, () => say(alice, group, 'much'))),
  );
});

test('a fault of the service: ChatInternalErrors', async () => {
  const { service, prometheus } = await start({});
  const alice = await aliceIn(service);
  await query(
    service.dsn,
    `create function fail() returns trigger language plpgsql as $$ begin raise exception 'a fault'; end $$;
     create trigger fail before insert on chats for each row execute function fail()`,
  );
  await untilFiring(prometheus, ['ChatInternalErrors'], () => newGroup(alice).catch(() => {}));
});

test('a process that is stopped: ChatProcessDown, which Alertmanager gets; one that pauses: ChatEventLoopSlow', async () => {
  const port = await freePort();
  const env = { ADMIN: 'true', ADMIN_PORT: String(port), POSTGRES_DSN: await createTestDatabase() };
  const service = await ChildService.start(env);
  const alertmanager = await startAlertmanager();
  onTestFinished(() => alertmanager.stop());
  const prometheus = await watch(port, alertmanager);

  service.signal('SIGSTOP');
  await untilFiring(prometheus, ['ChatProcessDown']);
  const groups = `http://127.0.0.1:${alertmanager.port}/api/v2/alerts/groups?receiver=page`;
  await eventually(async () => expect(await (await fetch(groups)).text()).toContain('"alertname":"ChatProcessDown"'));
  service.signal('SIGCONT');
  await untilQuiet(prometheus);

  await untilFiring(prometheus, ['ChatEventLoopSlow'], async () => {
    service.signal('SIGSTOP');
    const since = await prometheus.now();
    await eventually(async () => expect(await prometheus.now()).toBeGreaterThan(since + 0.4));
    service.signal('SIGCONT');
  });
});
