import { FORMAT_HTTP_HEADERS } from 'opentracing';
import { expect, onTestFinished, test } from 'vitest';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { attribute, OtlpCollector } from '../../testing/collectors/otlp-collector.ts';
import { eventually } from '../../testing/eventually.ts';
import { OtlpTracing } from './otlp-tracing.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const callerSpanId = '00f067aa0ba902b7';

async function setUp({ sampleRatio = 1, silent = false, url = '', queueSize = 8_192 } = {}) {
  const collector = await OtlpCollector.start({ silent });
  const log = new LogLines();
  const tracing = new OtlpTracing(
    { url: url || collector.url, serviceName: 'chat-service', sampleRatio, queueSize },
    log.logger,
  );
  onTestFinished(async () => {
    await tracing.close();
    collector.stop();
  });
  return { collector, tracing, tracer: tracing.tracer, log };
}

test('spans reach the collector without a flush, with the name of the service', async () => {
  const { collector, tracer } = await setUp();
  const span = tracer.startSpan('a call', { tags: { 'user.id': 'alice' } });
  tracer.startSpan('what it causes', { childOf: span }).finish();
  span.finish();

  const [child, root] = await eventually(() => {
    expect(collector.spans).toHaveLength(2);
    return collector.spans;
  });
  expect(attribute(collector.resource, 'service.name')).toBe('chat-service');
  expect(root).toMatchObject({ name: 'a call', kind: 1, traceId: span.context().toTraceId() });
  expect(root?.parentSpanId).toBeUndefined();
  expect(attribute(root!.attributes, 'user.id')).toBe('alice');
  expect(child).toMatchObject({ name: 'what it causes', kind: 1, parentSpanId: root?.spanId, traceId: root?.traceId });
});

test('close sends the remaining spans and is idempotent', async () => {
  const { collector, tracer, tracing } = await setUp();
  for (let i = 0; i < 1_000; i++) tracer.startSpan('a call').finish();
  await Promise.all([tracing.close(), tracing.close()]);
  expect(collector.spans).toHaveLength(1_000);
  tracer.startSpan('too late').finish();
});

test('a W3C header continues the trace of the caller, and the service injects the same form', async () => {
  const { collector, tracer, tracing } = await setUp({ sampleRatio: 0 });
  const parent = tracer.extract(FORMAT_HTTP_HEADERS, { traceparent: `00-${traceId}-${callerSpanId}-01` })!;
  const span = tracer.startSpan('a call', { childOf: parent });
  const carrier: Record<string, string> = {};
  tracer.inject(span, FORMAT_HTTP_HEADERS, carrier);
  span.finish();
  await tracing.close();
  expect(collector.spans).toMatchObject([{ traceId, parentSpanId: callerSpanId }]);
  expect(carrier.traceparent).toBe(`00-${traceId}-${span.context().toSpanId()}-01`);
});

test('the configured share of traces is recorded, each as a whole', async () => {
  const { collector, tracer, tracing } = await setUp({ sampleRatio: 0.5 });
  for (let i = 0; i < 400; i++) {
    const span = tracer.startSpan('a call');
    tracer.startSpan('what it causes', { childOf: span }).finish();
    span.finish();
    expect(span.context().toTraceId()).toMatch(/^[0-9a-f]{32}$/);
  }
  await tracing.close();
  const calls = collector.named('a call').length;
  expect(calls).toBeGreaterThan(100);
  expect(calls).toBeLessThan(300);
  expect(collector.named('what it causes')).toHaveLength(calls);
});

test('another share applies from the next trace on', async () => {
  const { collector, tracing, tracer } = await setUp({ sampleRatio: 0 });
  for (let i = 0; i < 10; i++) tracer.startSpan('before').finish();
  tracing.setSampleRatio(1);
  for (let i = 0; i < 10; i++) tracer.startSpan('after').finish();
  tracing.setSampleRatio(0);
  tracer.startSpan('later').finish();
  await tracing.close();
  expect(collector.spans.map(({ name }) => name)).toEqual(Array(10).fill('after'));
});

test('a trace that the caller does not record is not recorded by the service', async () => {
  const { collector, tracer, tracing } = await setUp();
  const parent = tracer.extract(FORMAT_HTTP_HEADERS, { traceparent: `00-${traceId}-${callerSpanId}-00` })!;
  tracer.startSpan('a call', { childOf: parent }).finish();
  await tracing.close();
  expect(collector.spans).toEqual([]);
});

test.for(['refuses connections', 'never answers'])(
  'a collector that %s causes a log line for spans that are dropped, one for spans that are lost, and no error',
  async (how) => {
    const { tracer, tracing, log } = await setUp(
      how === 'never answers' ? { silent: true } : { url: 'http://127.0.0.1:1' },
    );
    for (let i = 0; i < 20_000; i++) tracer.startSpan('a call').finish();
    // Sending each of them would wait for minutes.
    await tracing.close();
    expect(log.lines).toMatchObject([
      { level: 40, msg: 'the collector is slow: spans are dropped' },
      { level: 40, msg: 'spans could not be sent and are lost' },
    ]);
  },
);
