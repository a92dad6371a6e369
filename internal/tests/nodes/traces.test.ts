import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { webSocketTransport } from '../../../pkg/chat-client/index.ts';
import { newGroup, type Person, personOf, say, signIn } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { JaegerAgent } from '../../testing/collectors/jaeger-agent.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { OtlpCollector } from '../../testing/collectors/otlp-collector.ts';
import { type ReceivedSpan, treeOf } from '../../testing/collectors/received-span.ts';
import { eventually } from '../../testing/eventually.ts';
import { type BusBroker, busBrokers } from '../../testing/services/bus-brokers.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

const collectors = { OTLP: () => OtlpCollector.start(), Jaeger: () => JaegerAgent.start() };
const operations = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
const secret = 'what nobody else may read';

/** How the conventions call the brokers. */
const systems = { NATS: 'nats', PostgreSQL: 'postgresql' } as const;

const cases = Object.keys(systems).flatMap((bus) =>
  Object.keys(collectors).map(
    (protocol) => [bus as keyof typeof systems, protocol as keyof typeof collectors] as const,
  ),
);

/** The attributes of a span in the table of docs/operations.md that this trace has. */
function documented(span: string): string[] {
  const rows = operations.split('\n').filter((line) => line.startsWith('| `'));
  const [, , , , attributes = ''] = rows.find((row) => row.split('|')[1]!.includes(`\`${span}\``))?.split('|') ?? [];
  const shared = attributes.includes('as above') ? documented('publish chat') : [];
  const own = [...attributes.matchAll(/(?:`[\w.]+` or )?`([\w.]+)`/g)].map(([, name = '']) => name);
  return [...shared, ...own].sort();
}

describe.each(cases)('two nodes with %s as their bus, which send spans by %s', (bus, protocol) => {
  let broker: BusBroker;
  let collector: OtlpCollector | JaegerAgent;
  let near: TestService;
  let far: TestService;
  const log = new LogLines();
  beforeAll(async () => {
    broker = await busBrokers[bus]();
    collector = await collectors[protocol]();
    const dsn = broker.env.POSTGRES_DSN ?? (await createTestDatabase());
    // Events must arrive over the bus: the next comparison with the database is a minute away.
    const env = { REPAIR_INTERVAL_MS: '60000', TRACING_URL: collector.url, ...broker.env };
    near = await startTestService(env, { dsn, log: log.logger });
    far = await startTestService(env, { dsn });
  });
  afterAll(async () => {
    await Promise.all([near.stop(), far.stop()]);
    collector.stop();
    await broker.stop();
  });

  /** Starts readers of a chat on the far node. Resolves when all of them are live. */
  async function readersOf(chat: { id: string }, person: Person, count: number): Promise<void> {
    const there = personOf(far.transport(), person);
    for (let i = 0; i < count; i += 1) {
      const stream = await there.connect();
      onTestFinished(() => stream.close());
      await stream.ask(commands.subscribe(chat.id));
      await stream.nextOf('caughtUp');
    }
  }

  /** Waits until the trace contains all of these spans. */
  function traceWith(traceId: string, ...names: string[]): Promise<ReceivedSpan[]> {
    return eventually(() => {
      const spans = collector.received().filter((span) => span.traceId === traceId);
      expect(spans.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
      return spans;
    });
  }

  /** Waits for the spans of the messages that were sent to a chat. */
  function sentTo(chat: { id: string }, count: number): Promise<ReceivedSpan[]> {
    return eventually(() => {
      const found = collector
        .received()
        .filter(({ name, tags }) => name === 'MessageWriter.append' && tags['chat.id'] === chat.id);
      expect(found).toHaveLength(count);
      return found;
    });
  }

  test('a message sent by HTTP through a gateway is followed to its readers on the other node', async () => {
    const gateway = await ChildService.start(
      { GATEWAY_UPSTREAMS: near.address, TRACING_URL: collector.url },
      'gateway',
    );
    const alice = await signIn(near.transport(), 'alice');
    const group = await newGroup(alice);
    await readersOf(group, alice, 3);
    const response = await fetch(`${gateway.url}/v1/chats/${group.id}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${alice.token}` },
      body: JSON.stringify({ clientMessageId: 'm', text: secret }),
    });
    expect(response.status).toBe(200);
    const traceId = response.headers.get('x-trace-id')!;
    const request = 'POST /v1/chats/{chat_id}/messages';
    const spans = await traceWith(traceId, request, 'chat.v1.ChatService/SendMessage', 'publish chat', 'deliver chat');

    expect(treeOf(spans)).toEqual([
      'ChatService.sendMessage < chat.v1.ChatService/SendMessage',
      'MessageRepository.appendBatch < commit messages',
      'MessageWriter.append < ChatService.sendMessage',
      `${request} < nothing`,
      'SELECT append_messages < MessageRepository.appendBatch',
      `chat.v1.ChatService/SendMessage < ${request}`,
      'commit messages < MessageWriter.append',
      'deliver chat < publish chat',
      'publish chat < MessageWriter.append',
    ]);
    const span = (name: string) => spans.find((each) => each.name === name)!;
    const messaging = {
      'messaging.system': systems[bus],
      'messaging.destination.name': `chat.${group.id}`,
      'messaging.batch.message_count': 1,
      'chat.id': group.id,
    };
    expect(span(request)).toMatchObject({
      kind: 'server',
      service: 'chat-gateway',
      tags: {
        'http.request.method': 'POST',
        'http.route': '/v1/chats/{chat_id}/messages',
        'http.response.status_code': 200,
      },
    });
    expect(span('chat.v1.ChatService/SendMessage')).toMatchObject({
      kind: 'server',
      service: 'chat-service',
      tags: {
        'rpc.system': 'grpc',
        'rpc.method': 'SendMessage',
        'rpc.response.status_code': 'OK',
        'user.id': alice.id,
      },
    });
    expect(span('MessageWriter.append').tags).toMatchObject({ 'chat.id': group.id });
    expect(span('commit messages').tags).toMatchObject({ 'chat.batch.size': 1 });
    expect(span('SELECT append_messages')).toMatchObject({ kind: 'client', tags: { 'db.system.name': 'postgresql' } });
    expect(span('publish chat')).toMatchObject({
      kind: 'producer',
      tags: { ...messaging, 'messaging.operation.type': 'send' },
    });
    expect(span('deliver chat')).toMatchObject({
      kind: 'consumer',
      tags: { ...messaging, 'messaging.operation.type': 'process', 'chat.readers': 3 },
    });
    // jaeger-client adds tags of its own.
    if (protocol === 'OTLP')
      for (const { name, tags } of spans)
        expect([name, ...Object.keys(tags).sort()]).toEqual([name, ...documented(name)]);
    const sent = JSON.stringify(spans);
    expect(sent).not.toContain(secret);
    expect(sent).not.toContain(alice.token);
  });

  test('a message sent over a WebSocket is followed to the other node', async () => {
    const transport = webSocketTransport(near.url, { encoding: 'json' });
    onTestFinished(() => transport.close());
    const alice = await signIn(near.transport(), 'alice');
    const group = await newGroup(alice);
    await readersOf(group, alice, 1);
    const stream = await personOf(transport, alice).connect();
    await stream.ask(commands.send(group.id, 'hi'));
    stream.close();
    const [message] = await sentTo(group, 1);
    const socket = 'GET /v1/connect';
    const spans = await traceWith(message!.traceId, socket, 'chat.v1.ChatService/ConnectChat', 'deliver chat');
    expect(treeOf(spans)).toEqual(
      expect.arrayContaining([
        `${socket} < nothing`,
        `chat.v1.ChatService/ConnectChat < ${socket}`,
        'ChatService.sendMessage < chat.v1.ChatService/ConnectChat',
        'publish chat < MessageWriter.append',
        'deliver chat < publish chat',
      ]),
    );
  });

  test('the messages of a batch have one span for their commit, and one for their delivery on a node', async () => {
    const alice = await signIn(near.transport(), 'alice');
    const group = await newGroup(alice);
    await readersOf(group, alice, 2);
    const stream = await alice.connect();
    for (let i = 0; i < 10; i += 1) stream.send(commands.send(group.id, `${i}`));
    const traces = new Set((await sentTo(group, 10)).map(({ traceId }) => traceId));
    const named = (name: string) =>
      collector.received().filter((span) => span.name === name && traces.has(span.traceId));
    const deliveries = await eventually(() => {
      const found = named('deliver chat');
      const messages = found.map(({ tags }) => Number(tags['messaging.batch.message_count']));
      expect(messages.reduce((sum, count) => sum + count, 0)).toBe(10);
      return found;
    });
    expect(deliveries.length).toBeLessThan(10);
    for (const { tags } of deliveries) expect(tags['chat.readers']).toBe(2);
    expect(named('publish chat')).toHaveLength(deliveries.length);
    expect(named('commit messages')).toHaveLength(deliveries.length);
    stream.close();
  });

  test('the lines of the log have the ids of the spans', async () => {
    const alice = await signIn(near.transport(), 'alice');
    await say(alice, await newGroup(alice), 'hi');
    const line = await eventually(() => {
      const found = log.lines.findLast(({ method, user }) => method === 'SendMessage' && user === alice.id);
      expect(found).toBeDefined();
      return found!;
    });
    const spans = await traceWith(String(line.traceId), 'chat.v1.ChatService/SendMessage');
    expect(spans.find(({ spanId }) => spanId === line.spanId)?.name).toBe('chat.v1.ChatService/SendMessage');
  });
});
