import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { entryOf } from '../../model/entry.ts';
import { OtlpCollector } from '../../testing/collectors/otlp-collector.ts';
import { eventually } from '../../testing/eventually.ts';
import { filledMessages } from '../../testing/fields/one-of-each.ts';
import { activeSpans, withActiveSpansNow } from '../tracing/active-spans.ts';
import { OtlpTracing } from '../tracing/otlp-tracing.ts';
import { contextOf } from '../tracing/trace-context.ts';
import type { ChatPublication } from './bus.ts';
import { testBus } from './bus-conformance.ts';
import { MemoryBus } from './memory-bus.ts';
import { TracedBus } from './traced-bus.ts';

let collector: OtlpCollector;
let tracing: OtlpTracing;
beforeAll(async () => {
  collector = await OtlpCollector.start();
  const options = { url: collector.url, serviceName: 'test', sampleRatio: 1, queueSize: 1_000 };
  tracing = new OtlpTracing(options, pino({ level: 'silent' }));
});
afterAll(async () => {
  await tracing.close();
  collector.stop();
});

const traced = (bus = new MemoryBus()) => new TracedBus({ bus, tracing, system: 'memory' });
const messages = { kind: 'entries', entries: filledMessages.map(entryOf) } as const;

async function hear(bus: TracedBus, chatId = randomUUID()) {
  const heard: { publication: ChatPublication; spans: number }[] = [];
  await bus.subscribeToChat(chatId, (publication) => heard.push({ publication, spans: activeSpans().length }));
  return { chatId, heard };
}

/** The spans that were opened for a chat, once there are as many. */
function spansOf(chatId: string, count: number) {
  return eventually(() => {
    const found = collector.received().filter(({ tags }) => tags['chat.id'] === chatId);
    expect(found).toHaveLength(count);
    return found;
  });
}

describe('a bus that is traced', () => {
  let bus: TracedBus | undefined;
  testBus(async () => {
    bus ??= traced();
    return bus;
  });
});

test('what is published within a span is delivered within its trace', async () => {
  const bus = traced();
  const { chatId, heard } = await hear(bus);
  const root = tracing.tracer.startSpan('root');
  withActiveSpansNow([root], () => bus.publishToChat(chatId, messages));
  const traceId = root.context().toTraceId();
  const [deliver, publish] = await spansOf(chatId, 2);
  expect(publish).toMatchObject({ name: 'publish chat', traceId, parentSpanId: root.context().toSpanId() });
  expect(deliver).toMatchObject({ name: 'deliver chat', traceId, parentSpanId: publish!.spanId });
  expect(heard.map(({ spans }) => spans)).toEqual([1]);
});

test('messages of several traces are published in a child of the first span, which refers to the others', async () => {
  const bus = traced();
  const { chatId } = await hear(bus);
  const roots = [1, 2, 3].map((i) => tracing.tracer.startSpan(`root ${i}`));
  bus.publishToChat(chatId, { ...messages, traces: roots.map(contextOf) });
  const [, publish] = await spansOf(chatId, 2);
  const ids = roots.map((span) => span.context().toSpanId());
  const { parentSpanId, links } = collector.spans.find(({ spanId }) => spanId === publish!.spanId)!;
  expect([parentSpanId, ...links.map(({ spanId }) => spanId)]).toEqual(ids);
});

test.each([
  ['without a context, as nodes of the release before send it', messages],
  ['of messages that are not recorded', { ...messages, traces: [] }],
  ['with a malformed context', { ...messages, traces: [{ traceparent: 'nonsense' }] }],
  [
    'of a trace that is not recorded',
    { ...messages, traces: [{ traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00` }] },
  ],
] as [string, ChatPublication][])(
  'a publication %s is delivered unchanged, without a span',
  async (_what, publication) => {
    const node = new MemoryBus();
    const { chatId, heard } = await hear(traced(node));
    // As it comes from another node, and as it is published here.
    node.publishToChat(chatId, publication);
    traced(node).publishToChat(chatId, publication);
    expect(heard).toEqual([
      { publication, spans: 0 },
      { publication, spans: 0 },
    ]);
  },
);

test('a publication of messages that are not recorded does not belong to the span in which a batch happens to be committed', async () => {
  const bus = traced();
  const { chatId, heard } = await hear(bus);
  withActiveSpansNow([tracing.tracer.startSpan('root')], () => bus.publishToChat(chatId, { ...messages, traces: [] }));
  expect(heard).toMatchObject([{ publication: { traces: [] } }]);
});
