import type { Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { GetChatRequest, SendMessageRequest } from '../../../pkg/api/chat/v1/chat.ts';
import type { MessageRepository } from '../../repository/message-repository.ts';
import { startNats } from '../../servers/brokers.ts';
import { newRoom, type Person, say, signIn } from '../../testing/clients/person.ts';
import { headers, RawClient } from '../../testing/clients/raw-client.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { JaegerAgent, lowTraceId } from '../../testing/collectors/jaeger-agent.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { attribute, OtlpCollector, type OtlpSpan } from '../../testing/collectors/otlp-collector.ts';
import { treeOf } from '../../testing/collectors/received-span.ts';
import { eventually } from '../../testing/eventually.ts';
import { withFaults } from '../../testing/faults/with-faults.ts';
import { ingestEnv } from '../../testing/services/ingest-env.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

const callersTrace = '4bf92f3577b34da6a3ce929d0e0e4736';
const callersSpan = '00f067aa0ba902b7';

/** Calls GetChat and returns the trace id of its answer, even if the call fails. */
async function traceIdOf(service: TestService, token: string, chatId: string, add: Record<string, string> = {}) {
  const metadata = headers(token);
  for (const [name, value] of Object.entries(add)) metadata.set(name, value);
  const request = GetChatRequest.encode({ chatId }).finish();
  const answered = Promise.withResolvers<Metadata>();
  const path = '/chat.v1.ChatService/GetChat';
  const done = new RawClient(service.address).call(path, request, metadata, {}, answered.resolve);
  await done.catch(() => {});
  return String((await answered.promise).get('x-trace-id')[0]);
}

describe('with an OpenTelemetry collector', () => {
  let collector: OtlpCollector;
  let service: TestService;
  let alice: Person;
  beforeAll(async () => {
    collector = await OtlpCollector.start();
    service = await startTestService({ TRACING_URL: collector.url });
    alice = await signIn(service.transport(), 'alice');
  });
  afterAll(async () => {
    await service.stop();
    collector.stop();
  });

  /** Waits until the trace contains the span `complete`. Returns `name < parent's name` for each of its spans. */
  async function tree(traceId: string, complete: string): Promise<string[]> {
    const spans = await eventually(() => {
      const found = collector.spans.filter((span) => span.traceId === traceId);
      expect(found.map(({ name }) => name)).toContain(complete);
      return found;
    });
    const nameOf = (spanId: string | undefined) => spans.find((span) => span.spanId === spanId)?.name ?? 'nothing';
    return spans.map(({ name, parentSpanId }) => `${name} < ${nameOf(parentSpanId)}`).sort();
  }

  function spanOf(traceId: string, name: string): OtlpSpan | undefined {
    return collector.named(name).find((span) => span.traceId === traceId);
  }

  test('a call opens a span, and a child for each step down to the database', async () => {
    const room = await newRoom(alice);
    const traceId = await traceIdOf(service, alice.token, room.id);
    expect(await tree(traceId, 'chat.v1.ChatService/GetChat')).toEqual([
      'ChatRepository.get < ChatService.getChat',
      'ChatService.getChat < chat.v1.ChatService/GetChat',
      'SELECT messages < ChatRepository.get',
      'chat.v1.ChatService/GetChat < nothing',
    ]);
    const root = spanOf(traceId, 'chat.v1.ChatService/GetChat')!;
    expect(root).toMatchObject({ kind: 2, status: { code: 0 } });
    expect(attribute(root.attributes, 'user.id')).toBe(alice.id);
  });

  test('a call continues the trace of its caller, and its answer has the trace id', async () => {
    const room = await newRoom(alice);
    const traceparent = `00-${callersTrace}-${callersSpan}-01`;
    expect(await traceIdOf(service, alice.token, room.id, { traceparent })).toBe(callersTrace);
    await tree(callersTrace, 'chat.v1.ChatService/GetChat');
    expect(spanOf(callersTrace, 'chat.v1.ChatService/GetChat')?.parentSpanId).toBe(callersSpan);
  });

  test('the spans of a failed call and of the failed step are marked with the error', async () => {
    const traceId = await traceIdOf(service, alice.token, crypto.randomUUID());
    await tree(traceId, 'chat.v1.ChatService/GetChat');
    for (const name of ['chat.v1.ChatService/GetChat', 'ChatService.getChat', 'ChatRepository.get']) {
      const span = spanOf(traceId, name)!;
      expect(span.status.code, name).toBe(2);
      expect(attribute(span.events[0]!.attributes, 'exception.message'), name).toMatch(/no such chat/);
    }
  });

  test('a call that an interceptor refuses opens a span too', async () => {
    const traceId = await traceIdOf(service, 'no token', crypto.randomUUID());
    expect(await tree(traceId, 'chat.v1.ChatService/GetChat')).toEqual(['chat.v1.ChatService/GetChat < nothing']);
    expect(spanOf(traceId, 'chat.v1.ChatService/GetChat')?.status.code).toBe(2);
  });

  test('a message is traced to the batch in which it is stored', async () => {
    const room = await newRoom(alice);
    const metadata = headers(alice.token);
    metadata.set('traceparent', `00-${'a'.repeat(32)}-${callersSpan}-01`);
    const request = SendMessageRequest.fromPartial({
      chatId: room.id,
      text: 'hi',
      clientMessageId: crypto.randomUUID(),
    });
    const bytes = SendMessageRequest.encode(request).finish();
    await new RawClient(service.address).call('/chat.v1.ChatService/SendMessage', bytes, metadata);
    expect(await tree('a'.repeat(32), 'chat.v1.ChatService/SendMessage')).toEqual([
      'ChatService.sendMessage < chat.v1.ChatService/SendMessage',
      'MessageRepository.appendBatch < commit messages',
      'MessageWriter.append < ChatService.sendMessage',
      'SELECT append_messages < MessageRepository.appendBatch',
      'chat.v1.ChatService/SendMessage < nothing',
      'commit messages < MessageWriter.append',
      'publish chat < MessageWriter.append',
    ]);
  });

  test('the span of a batch is a child of its first message’s span and refers to the others', async () => {
    const room = await newRoom(alice);
    const before = collector.spans.length;
    await Promise.all(Array.from({ length: 50 }, (_, i) => say(alice, room, `${i}`)));
    const [appends, batches] = await eventually(() => {
      const spans = collector.spans.slice(before);
      const named = (name: string) => spans.filter((span) => span.name === name);
      const found = [named('MessageWriter.append'), named('commit messages')] as const;
      expect(found[0]).toHaveLength(50);
      expect(found[1].reduce((count, { links }) => count + 1 + links.length, 0)).toBe(50);
      return found;
    });
    const referred = batches.flatMap(({ parentSpanId, links }) => [parentSpanId, ...links.map(({ spanId }) => spanId)]);
    expect(new Set(referred)).toEqual(new Set(appends.map(({ spanId }) => spanId)));
    expect(batches.length).toBeLessThan(50);
  });

  test('a stream opens a span with children for its commands, and a client that disconnects is no error', async () => {
    const room = await newRoom(alice);
    const before = collector.spans.length;
    const stream = await alice.connect();
    await stream.ask(commands.subscribe(room.id, 0));
    await stream.ask(commands.send(room.id, 'hi'));
    expect(await stream.ask(commands.send(crypto.randomUUID(), 'hi'))).toMatchObject({ $case: 'rejected' });
    stream.close();
    const root = await eventually(() => {
      const [span] = collector.spans.slice(before).filter(({ name }) => name === 'chat.v1.ChatService/ConnectChat');
      expect(span).toBeDefined();
      return span!;
    });
    expect(root.status.code).toBe(0);
    const children = collector.spans.filter(({ parentSpanId }) => parentSpanId === root.spanId);
    const named = (name: string) => children.filter((span) => span.name === name).map(({ status }) => status.code);
    expect(named('ChatService.sendMessage')).toEqual([0, 2]);
    expect(named('ChatService.getMembership')).toEqual([0]);
    expect(named('MessageRepository.findChangesAsMember').length).toBeGreaterThan(0);
  });

  test('background work of the service is not traced', async () => {
    const stream = await alice.connect();
    const room = await newRoom(alice);
    await stream.ask(commands.subscribe(room.id));
    const traceId = await traceIdOf(service, alice.token, room.id);
    await tree(traceId, 'chat.v1.ChatService/GetChat');
    const roots = collector.spans.filter(({ parentSpanId }) => !parentSpanId).map(({ name }) => name);
    for (const name of roots) expect(name).toMatch(/^(chat|auth)\.v1\./);
    stream.close();
  });
});

test('with INGEST=jetstream a trace goes on from the log, by the statement that writes it, to the delivery', async () => {
  const nats = await startNats();
  onTestFinished(() => nats.stop());
  const collector = await OtlpCollector.start();
  onTestFinished(() => collector.stop());
  const service = await startTestService({ ...ingestEnv(nats), TRACING_URL: collector.url });
  onTestFinished(() => service.stop());
  const alice = await signIn(service.transport(), 'alice');
  const room = await newRoom(alice);
  const stream = await alice.connect();
  await stream.ask(commands.subscribe(room.id));
  await say(alice, room, 'hi');
  const delivery = await eventually(() => {
    const found = collector.received().find(({ name, tags }) => name === 'deliver chat' && tags['chat.readers'] === 1);
    expect(found).toBeDefined();
    return found!;
  });
  await eventually(() => {
    const spans = collector.received().filter(({ traceId }) => traceId === delivery.traceId);
    expect(treeOf(spans)).toEqual(
      expect.arrayContaining([
        'commit messages < MessageWriter.append',
        'write accepted messages < MessageWriter.append',
        'SELECT ingest.append_messages < write accepted messages',
        'publish chat < MessageWriter.append',
        'deliver chat < publish chat',
      ]),
    );
  });
  stream.close();
});

test('with INGEST=jetstream each statement that writes messages has one span, and none begins a trace', async () => {
  const nats = await startNats();
  onTestFinished(() => nats.stop());
  const collector = await OtlpCollector.start();
  onTestFinished(() => collector.stop());
  const service = await startTestService({ ...ingestEnv(nats), INGEST_PARTITIONS: '1', TRACING_URL: collector.url });
  onTestFinished(() => service.stop());
  const alice = await signIn(service.transport(), 'alice');
  const room = await newRoom(alice);
  const stream = await alice.connect();
  for (let i = 0; i < 20; i += 1) stream.send(commands.send(room.id, `${i}`));
  const named = (name: string) => collector.received().filter((span) => span.name === name);
  await eventually(() => {
    const sizes = named('write accepted messages').map(({ tags }) => Number(tags['chat.batch.size']));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(20);
    expect(named('SELECT ingest.append_messages')).toHaveLength(sizes.length);
  });
  expect(
    collector
      .received()
      .filter(({ parentSpanId }) => !parentSpanId)
      .map(({ name }) => name),
  ).not.toContain('SELECT ingest.append_messages');
  stream.close();
});

test.for(['1', '0'])(
  'a failed command is logged with the ids of its stream, with a sample ratio of %s',
  async (ratio) => {
    const collector = await OtlpCollector.start();
    onTestFinished(() => collector.stop());
    const log = new LogLines();
    const env = { TRACING_URL: collector.url, TRACING_SAMPLE_RATIO: ratio };
    const appendBatch = () => Promise.reject(new TypeError('broken'));
    const messages = (real: MessageRepository) => withFaults(real, () => ({ appendBatch }));
    const service = await startTestService(env, { log: log.logger, messages });
    const alice = await signIn(service.transport(), 'alice');
    const room = await newRoom(alice);
    const stream = await alice.connect();
    expect(await stream.ask(commands.send(room.id, 'hi'))).toMatchObject({ $case: 'rejected' });
    stream.close();
    await eventually(() => expect(log.lines.at(-1)).toMatchObject({ msg: 'stream ended' }));
    const { traceId, spanId } = log.lines.findLast(({ method }) => method === 'ConnectChat')!;
    const failure = log.lines.find(({ msg }) => msg === 'a command failed');
    expect(failure).toMatchObject({ traceId, ...(ratio === '1' && { spanId }) });
    await service.stop();
    expect(collector.spans.some((span) => span.spanId === spanId)).toBe(ratio === '1');
  },
);

test('the remaining spans are sent when the service stops', async () => {
  const collector = await OtlpCollector.start();
  onTestFinished(() => collector.stop());
  const service = await startTestService({ TRACING_URL: collector.url });
  await signIn(service.transport(), 'alice');
  await service.stop();
  expect(collector.named('auth.v1.AuthService/Guest')).toHaveLength(1);
});

test('with a sample ratio of 0 nothing is recorded, but every call has a trace id', async () => {
  const collector = await OtlpCollector.start();
  onTestFinished(() => collector.stop());
  const service = await startTestService({ TRACING_URL: collector.url, TRACING_SAMPLE_RATIO: '0' });
  const { token } = await signIn(service.transport(), 'alice');
  expect(await traceIdOf(service, token, crypto.randomUUID())).toMatch(/^[0-9a-f]{32}$/);
  await service.stop();
  expect(collector.spans).toEqual([]);
});

test.for(['refuses connections', 'never answers'])('a collector that %s does not slow or fail calls', async (how) => {
  const collector = await OtlpCollector.start({ silent: how === 'never answers' });
  onTestFinished(() => collector.stop());
  const log = new LogLines();
  const url = how === 'never answers' ? collector.url : 'http://127.0.0.1:1';
  const service = await startTestService({ TRACING_URL: url }, { log: log.logger });
  const alice = await signIn(service.transport(), 'alice');
  const room = await newRoom(alice);
  // If the calls and the stop waited for the collector, this test would time out.
  for (let i = 0; i < 300; i++) await say(alice, room, `${i}`);
  await service.stop();
  expect(log.errors).toEqual([]);
  const warnings = log.lines.filter(({ level }) => level === 40).map(({ msg }) => String(msg));
  // The tests' PostgreSQL has settings that the service warns of.
  expect(warnings.filter((warning) => !warning.startsWith("the database's"))).toEqual([
    'spans could not be sent and are lost',
  ]);
});

test('with a Jaeger agent, the spans of calls are sent to it, and traces are continued by its header', async () => {
  const agent = await JaegerAgent.start();
  onTestFinished(() => agent.stop());
  const service = await startTestService({ TRACING_URL: agent.url });
  const alice = await signIn(service.transport(), 'alice');
  const room = await newRoom(alice);
  const header = { 'uber-trace-id': `${callersTrace}:${callersSpan}:0:1` };
  expect(await traceIdOf(service, alice.token, room.id, header)).toBe(callersTrace);
  const own = await traceIdOf(service, alice.token, crypto.randomUUID());
  await service.stop();
  for (const part of ['chat.v1.ChatService/GetChat', 'ChatService.getChat', 'ChatRepository.get']) {
    await eventually(() => expect(agent.has('chat-service', part, lowTraceId(callersTrace))).toBe(true));
  }
  await eventually(() => expect(agent.has(lowTraceId(own), 'error', 'no such chat')).toBe(true));
});
