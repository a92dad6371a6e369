import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../config/config.ts';
import { newGroup, type Person, say, signIn } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { root } from '../documentation/markdown-page.ts';

const admin = { ADMIN: 'true', ADMIN_PORT: '0' };

let service: TestService;
beforeAll(async () => {
  service = await startTestService(admin);
});
afterAll(() => service.stop());

const ask = (path: string, headers: Record<string, string> = {}, from = service) =>
  fetch(`http://127.0.0.1:${from.app.adminPort}${path}`, { headers });

/** The values of all series, by name with labels as they are written. */
async function scrape(from = service): Promise<Map<string, number>> {
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
    expect(await growth(before, 'chat_sessions')).toBe(2);
    expect(await growth(before, 'chat_messages_saved_total')).toBe(7);
    expect(await growth(before, 'chat_changes_saved_total', { kind: 'edited' })).toBe(1);
    expect(await growth(before, 'chat_changes_saved_total', { kind: 'deleted' })).toBe(1);
    expect(await growth(before, 'chat_batch_size_sum', { what: 'message' })).toBe(7);
    expect(await growth(before, 'chat_deliveries_total')).toBe(2 * (7 + 2));

    for (const reader of readers) reader.close();
    await eventually(async () => expect(await growth(before, 'chat_sessions')).toBe(0));
    expect(await growth(before, 'grpc_server_handled_total', { grpc_method: 'ConnectChat' })).toBe(2);
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

  test('are those that docs/operations.md names', async () => {
    const page = readFileSync(`${root}docs/operations.md`, 'utf8');
    const named = [...page.matchAll(/^\| `([a-z_]+)` \|.*\|.*\|$/gm)].map(([, name]) => name);
    const text = await (await ask('/metrics')).text();
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
    proxy.restore();
    await eventually(async () => expect((await ask('/readyz', {}, away)).status).toBe(200));
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
