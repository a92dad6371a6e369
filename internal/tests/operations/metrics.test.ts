import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startGateway } from '../../app/start-gateway.ts';
import { readConfig } from '../../config/config.ts';
import { readGatewayConfig } from '../../config/gateway-config.ts';
import { LiveConfig } from '../../config/live/live-config.ts';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { openEvents } from '../../testing/clients/event-stream.ts';
import { newGroup, type Person, say, signIn } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { ingestEnv } from '../../testing/services/ingest-env.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { root } from '../documentation/markdown-page.ts';

const admin = { ADMIN: 'true', ADMIN_PORT: '0' };

let service: TestService;
let nats: ServerProcess;
/** A service with every part that has metrics. */
let whole: TestService;
beforeAll(async () => {
  nats = await startNats();
  service = await startTestService(admin);
  whole = await startTestService({ ...admin, ...ingestEnv(nats), EXPORT: 'jetstream' });
});
afterAll(async () => {
  await service.stop();
  await whole.stop();
  await nats.stop();
});

type Endpoint = { app: Pick<TestService['app'], 'adminPort'> };

const ask = (path: string, headers: Record<string, string> = {}, from: Endpoint = service) =>
  fetch(`http://127.0.0.1:${from.app.adminPort}${path}`, { headers });

/** The values of all series, by name with labels as they are written. */
async function scrape(from: Endpoint = service): Promise<Map<string, number>> {
  const text = await (await ask('/metrics', {}, from)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      // An exemplar follows behind " # ".
      const [series = ''] = line.split(' # ');
      const end = series.lastIndexOf(' ');
      return [series.slice(0, end), Number(series.slice(end + 1))];
    }),
  );
}

const exportedIn = (series: Map<string, number>) => series.get('chat_sink_events_total{sink="jetstream"}') ?? 0;

/** What the series with these labels have become more since `before`. */
async function growth(before: Map<string, number>, name: string, labels: Record<string, string> = {}): Promise<number> {
  const matches = (series: string) =>
    series.replace(/\{.*/, '') === name &&
    Object.entries(labels).every(([label, value]) => series.includes(`${label}="${value}"`));
  const sum = (series: Map<string, number>) =>
    [...series].reduce((all, [key, value]) => all + (matches(key) ? value : 0), 0);
  return sum(await scrape()) - sum(before);
}

describe('the metrics', () => {
  test('say what clients saw: calls by method and code, streams, messages, changes and deliveries', async () => {
    const [alice, bob] = await Promise.all([signIn(service.transport(), 'alice'), signIn(service.transport(), 'bob')]);
    const group = await newGroup(alice, bob);
    const before = await scrape();

    const readers = await Promise.all([alice.connect(), bob.connect()]);
    for (const reader of readers) await reader.ask(commands.subscribe(group.id));
    const sent = await Promise.all(Array.from({ length: 7 }, (_, i) => say(alice, group, `${i}`)));
    const change = { chatId: group.id, messageId: sent[0]!.messageId };
    await alice.chat.editMessage({ ...change, clientChangeId: 'e', text: 'edited', ifVersion: undefined });
    await alice.chat.deleteMessage({ ...change, clientChangeId: '', hide: false, reason: '', ifVersion: undefined });
    await expect(
      bob.chat.editMessage({ ...change, clientChangeId: 'f', text: 'x', ifVersion: undefined }),
    ).rejects.toThrow();
    for (const reader of readers) await eventually(() => expect(reader.all('messageChanged')).toHaveLength(2));

    const calls = { grpc_service: 'chat.v1.ChatService', grpc_type: 'unary' };
    const handled = (method: string, code: string) =>
      growth(before, 'grpc_server_handled_total', { ...calls, grpc_method: method, grpc_code: code });
    expect(await handled('SendMessage', 'OK')).toBe(7);
    expect(await handled('EditMessage', 'OK')).toBe(1);
    expect(await handled('EditMessage', 'PERMISSION_DENIED')).toBe(1);
    expect(await growth(before, 'grpc_server_started_total', { grpc_method: 'SendMessage' })).toBe(7);
    expect(await growth(before, 'grpc_server_handling_seconds_count', { grpc_method: 'SendMessage' })).toBe(7);
    expect(await growth(before, 'grpc_server_started_total', { grpc_method: 'ConnectChat' })).toBe(2);
    expect(await growth(before, 'grpc_server_msg_received_total', { grpc_method: 'SendMessage' })).toBe(7);
    expect(await growth(before, 'grpc_server_msg_sent_total', { grpc_method: 'SendMessage' })).toBe(7);
    expect(await growth(before, 'grpc_server_msg_received_total', { grpc_method: 'ConnectChat' })).toBe(2);
    await eventually(async () => {
      // A frame is counted before it arrives, and one about presence may come at any time.
      const sent = await growth(before, 'grpc_server_msg_sent_total', { grpc_method: 'ConnectChat' });
      expect(readers.reduce((sum, { frameSizes }) => sum + frameSizes.length, 0)).toBe(sent);
    });
    expect(await growth(before, 'chat_commands_total', { operation: 'Subscribe', grpc_code: 'OK' })).toBe(2);
    expect(await growth(before, 'chat_refusals_total')).toBe(1);
    expect(await growth(before, 'chat_refusals_total', { reason: 'NOT_THE_SENDER' })).toBe(1);
    expect(await growth(before, 'chat_sessions', { transport: 'grpc' })).toBe(2);
    expect(await growth(before, 'chat_readers', { state: 'live' })).toBe(2);
    expect(await growth(before, 'chat_messages_saved_total')).toBe(7);
    expect(await growth(before, 'chat_changes_saved_total', { kind: 'edited' })).toBe(1);
    expect(await growth(before, 'chat_changes_saved_total', { kind: 'deleted' })).toBe(1);
    expect(await growth(before, 'chat_batch_size_sum', { what: 'message' })).toBe(7);
    expect(await growth(before, 'chat_acknowledgement_seconds_count', { what: 'message' })).toBe(7);
    // Bob's edit was refused by the database.
    expect(await growth(before, 'chat_acknowledgement_seconds_count', { what: 'change' })).toBe(3);
    expect(await growth(before, 'chat_deliveries_total')).toBe(2 * (7 + 2));
    const batches = await growth(before, 'chat_delivery_seconds_count');
    expect(batches).toBeGreaterThan(0);
    expect(batches).toBeLessThanOrEqual(7);

    for (const reader of readers) reader.close();
    await eventually(async () => expect(await growth(before, 'chat_sessions')).toBe(0));
    expect(await growth(before, 'grpc_server_handled_total', { grpc_method: 'ConnectChat' })).toBe(2);
  });

  test('say what a stream was refused, and by which transport it came', async () => {
    const [alice, bob] = await Promise.all([signIn(service.transport(), 'alice'), signIn(service.transport(), 'bob')]);
    const group = await newGroup(alice);
    const before = await scrape();
    const stranger = await bob.connect();
    await stranger.ask(commands.subscribe(group.id));
    const operation = { operation: 'Subscribe', grpc_code: 'NOT_FOUND' };
    expect(await growth(before, 'chat_commands_total', operation)).toBe(1);
    expect(await growth(before, 'chat_refusals_total', { reason: 'CHAT_NOT_FOUND' })).toBe(1);
    stranger.close();

    const authorization = `Bearer ${alice.token}`;
    const reader = await openEvents(`${service.url}/v1/chats/${group.id}/events`, { authorization });
    await eventually(async () => expect(await growth(before, 'chat_sessions', { transport: 'sse' })).toBe(1));
    expect(await growth(before, 'chat_connections', { server: 'http' })).toBeGreaterThan(0);
    reader.close();
    const events = { method: 'GET', route: '/v1/chats/:chatId/events', code: '200' };
    await eventually(async () => expect(await growth(before, 'http_requests_total', events)).toBe(1));
    const chat = await fetch(`${service.url}/v1/chats/${group.id}`, { headers: { authorization } });
    expect(chat.status).toBe(200);
    const got = { method: 'GET', route: '/v1/chats/{chat_id}', code: '200' };
    await eventually(async () => expect(await growth(before, 'http_requests_total', got)).toBe(1));
    const { code: _, ...route } = got;
    expect(await growth(before, 'http_request_duration_seconds_count', route)).toBe(1);
  });

  test('are in the format of OpenMetrics, with those of Node and the database', async () => {
    const response = await ask('/metrics');
    expect(response.headers.get('content-type')).toContain('application/openmetrics-text');
    const text = await response.text();
    expect(text.trimEnd().endsWith('# EOF')).toBe(true);
    const names = [...(await scrape()).keys()].map((series) => series.replace(/\{.*/, ''));
    expect(names).toEqual(
      expect.arrayContaining([
        'chat_database_connections',
        'chat_outbox_bytes',
        'nodejs_eventloop_lag_seconds',
        'nodejs_gc_duration_seconds_count',
        'process_resident_memory_bytes',
      ]),
    );
  });

  test('of JetStream say how much was written and exported, and that nothing waits any more', async () => {
    const person = await signIn(whole.transport(), 'alice');
    const group = await newGroup(person);
    const before = await scrape(whole);
    for (let i = 0; i < 5; i += 1) await say(person, group, `${i}`);
    const now = async (series: string) => (await scrape(whole)).get(series) ?? Number.NaN;
    await eventually(async () =>
      expect((await now('chat_sink_events_total{sink="jetstream"}')) - exportedIn(before)).toBeGreaterThanOrEqual(5),
    );
    await eventually(async () => expect(await now('chat_sink_lag_seconds{sink="jetstream"}')).toBe(0));
    expect(await now('chat_messages_saved_total')).toBe(5);
    expect(await now('chat_acknowledgement_seconds_count{what="message"}')).toBe(5);
    expect(await now('chat_ingest_lag_seconds_count')).toBeGreaterThan(0);
    expect(await now('chat_ingest_waiting_messages')).toBe(0);
    expect(await now('chat_ingest_partitions')).toBe(4);
    expect(await now('chat_bus_connected')).toBe(1);
    expect(await now('chat_database_up')).toBe(1);
  });

  test('of a gateway by itself are those of HTTP', async () => {
    const upstream = { GATEWAY_UPSTREAMS: service.address, HTTP_PORT: '0' };
    const gateway = await startGateway(
      new LiveConfig(readGatewayConfig({ ...admin, ...upstream })),
      pino({ level: 'silent' }),
    );
    onTestFinished(() => gateway.stop());
    const endpoint = { app: { adminPort: gateway.adminPort } };
    await eventually(async () => expect((await ask('/readyz', {}, endpoint)).status).toBe(200));
    expect((await scrape(endpoint)).get('chat_ready')).toBe(1);
    await fetch(`http://127.0.0.1:${gateway.httpPort}/v1/auth/me`);
    const refused = 'http_requests_total{method="GET",route="/v1/auth/me",code="401"}';
    await eventually(async () => expect((await scrape(endpoint)).get(refused)).toBe(1));
    expect((await scrape(endpoint)).get('chat_connections{server="http"}')).toBeGreaterThan(0);
  });

  test('are those that docs/operations.md names', async () => {
    const page = readFileSync(`${root}docs/operations.md`, 'utf8');
    const named = [...page.matchAll(/^\| `([a-z_]+)` \|.*\|.*\|$/gm)].map(([, name]) => name);
    const text = await (await ask('/metrics', {}, whole)).text();
    const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) =>
      type === 'counter' && !name!.endsWith('_total') ? `${name}_total` : name,
    );
    expect(families.filter((name) => !/^(nodejs|process)_/.test(name!)).toSorted()).toEqual(named.toSorted());
  });

  test('have no more series, whatever clients send', async () => {
    const strangers = await Promise.all(
      Array.from({ length: 5 }, (_, i) => signIn(service.transport(), `stranger-${i}`)),
    );
    const useAll = async (person: Person) => {
      const group = await newGroup(person);
      const { messageId } = await say(person, group, 'text');
      const change = { chatId: group.id, messageId, ifVersion: undefined };
      await person.chat.editMessage({ ...change, clientChangeId: crypto.randomUUID(), text: 'edited' });
      await person.chat.getMessage({ chatId: crypto.randomUUID(), messageId }).catch(() => {});
      await person.chat.getMessage({ chatId: 'nonsense', messageId: '' }).catch(() => {});
      await fetch(`${service.url}/v1/${crypto.randomUUID()}`);
      await fetch(`${service.url}/v1/chats/${group.id}`, {
        method: 'POST',
        headers: { 'user-agent': crypto.randomUUID() },
      });
      const stream = await person.connect();
      await stream.ask(commands.subscribe(crypto.randomUUID()));
      stream.close();
    };
    await useAll(strangers[0]!);
    await eventually(async () => expect(await growth(new Map(), 'chat_sessions')).toBe(0));
    const known = new Set((await scrape()).keys());
    for (const person of strangers.slice(1)) await useAll(person);
    await eventually(async () => expect(await growth(new Map(), 'chat_sessions')).toBe(0));
    expect([...(await scrape()).keys()].filter((series) => !known.has(series))).toEqual([]);
  });
});

describe('the endpoint for operators', () => {
  test('answers health without a token, and metrics only with it', async () => {
    const token = 'a token of the operator';
    const guarded = await startTestService({ ...admin, ADMIN_TOKEN: token });
    onTestFinished(() => guarded.stop());
    const status = async (path: string, authorization = '') =>
      (await ask(path, { ...(authorization && { authorization }) }, guarded)).status;
    expect([await status('/livez'), await status('/readyz')]).toEqual([200, 200]);
    expect([
      await status('/metrics'),
      await status('/metrics', 'Bearer wrong'),
      await status('/metrics', token),
    ]).toEqual([401, 401, 401]);
    expect(await status('/metrics', `Bearer ${token}`)).toBe(200);
    expect(await status('/other')).toBe(404);
  });

  test('says why the service is not ready', async () => {
    const proxy = await startTcpProxy(await createTestDatabase());
    onTestFinished(() => proxy.close());
    const away = await startTestService(admin, { dsn: proxy.dsn });
    onTestFinished(() => away.stop());
    expect(await (await ask('/readyz', {}, away)).json()).toEqual({ ready: true, reasons: [] });
    proxy.cut();
    await eventually(async () => {
      const response = await ask('/readyz', {}, away);
      expect([response.status, await response.json()]).toEqual([
        503,
        { ready: false, reasons: ['PostgreSQL is away'] },
      ]);
    });
    expect((await scrape(away)).get('chat_ready')).toBe(0);
    proxy.restore();
    await eventually(async () => expect((await ask('/readyz', {}, away)).status).toBe(200));
    expect((await scrape(away)).get('chat_ready')).toBe(1);
  });

  test('must be there if a port is set', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { port: number };
    await expect(startTestService({ ...admin, ADMIN_PORT: String(port) })).rejects.toThrow(
      `cannot listen for metrics on 127.0.0.1:${port}: the port is taken (set ADMIN_PORT)`,
    );
  });

  test('needs a token where other machines can reach it', () => {
    const faults = (env: Record<string, string>) => {
      try {
        readConfig({ POSTGRES_DSN: 'postgres://localhost/chat', ...env });
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(faults({ ADMIN_HOST: '0.0.0.0' })).toContain('set ADMIN_TOKEN');
    expect(faults({ ADMIN_HOST: '0.0.0.0', ADMIN: 'false' })).toBe('');
    expect(faults({ ADMIN_TOKEN: 'short' })).toContain('ADMIN_TOKEN must have at least 16 characters');
    expect(faults({ ADMIN_HOST: '0.0.0.0', ADMIN_TOKEN: 'x'.repeat(16) })).toBe('');
  });
});
