import { FORMAT_HTTP_HEADERS } from 'opentracing';
import { expect, onTestFinished, test } from 'vitest';
import { JaegerAgent, lowTraceId } from '../../testing/collectors/jaeger-agent.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { JaegerTracing } from './jaeger-tracing.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

async function setUp({ sampleRatio = 1, host = '127.0.0.1' } = {}) {
  const agent = await JaegerAgent.start();
  const log = new LogLines();
  const tracing = new JaegerTracing(
    { host, port: Number(new URL(agent.url).port), serviceName: 'chat-service', sampleRatio },
    log.logger,
  );
  onTestFinished(async () => {
    await tracing.close();
    agent.stop();
  });
  return { agent, tracing, tracer: tracing.tracer, log };
}

test('spans reach the agent without a flush, with the name of the service', async () => {
  const { agent, tracer } = await setUp();
  const span = tracer.startSpan('a call', { tags: { 'user.id': 'alice' } });
  span.finish();
  const id = span.context().toTraceId();
  // 128 bits: a trace id of 64 would have 16 digits at most.
  expect(id).toMatch(/^[0-9a-f]{17,32}$/);
  await eventually(() => expect(agent.has('chat-service', 'a call', 'user.id', lowTraceId(id))).toBe(true));
});

test('close sends the remaining spans and is idempotent', async () => {
  const { agent, tracer, tracing } = await setUp();
  for (let i = 0; i < 500; i++) tracer.startSpan(`call ${i}.`).finish();
  await Promise.all([tracing.close(), tracing.close()]);
  await eventually(() => expect(agent.has('call 0.') && agent.has('call 499.')).toBe(true));
  tracer.startSpan('too late').finish();
});

test("Jaeger's header continues the trace of the caller, written with colons or escaped", async () => {
  const { agent, tracer, tracing } = await setUp({ sampleRatio: 0 });
  for (const header of [`${traceId}:f067aa0ba902b7:0:1`, `${traceId}%3Af067aa0ba902b7%3A0%3A1`]) {
    const parent = tracer.extract(FORMAT_HTTP_HEADERS, { 'uber-trace-id': header })!;
    const span = tracer.startSpan('a call', { childOf: parent });
    expect(span.context().toTraceId()).toBe(traceId);
    span.finish();
  }
  await tracing.close();
  await eventually(() => expect(agent.has('a call', lowTraceId(traceId))).toBe(true));
});

test.for([
  'nonsense',
  '1zz:1:0:1',
  `${'a'.repeat(5_000)}:1:0:1`,
  `${traceId}:zz:0:1`,
  `${traceId}:${'1'.repeat(40)}:0:1`,
  `${traceId}:1:0`,
  '%zz:1:0:1',
  '0:0:0:0',
])('a malformed header begins a new trace: %s', async (header) => {
  const { agent, tracer, tracing } = await setUp();
  const parent = tracer.extract(FORMAT_HTTP_HEADERS, { 'uber-trace-id': header }) ?? undefined;
  const span = tracer.startSpan('a call', { childOf: parent });
  expect(span.context().toTraceId()).toMatch(/^[0-9a-f]{1,32}$/);
  expect(span.context().toTraceId()).not.toContain('aaaaaaaa');
  span.finish();
  await tracing.close();
  await eventually(() => expect(agent.has('a call', lowTraceId(span.context().toTraceId()))).toBe(true));
});

test('the configured share of traces is recorded', async () => {
  const { agent, tracer, tracing } = await setUp({ sampleRatio: 0.5 });
  for (let i = 0; i < 100; i++) tracer.startSpan(`call ${i}.`).finish();
  await tracing.close();
  await eventually(() => expect(agent.packets.length).toBeGreaterThan(0));
  const recorded = Array.from({ length: 100 }, (_, i) => i).filter((i) => agent.has(`call ${i}.`)).length;
  expect(recorded).toBeGreaterThan(10);
  expect(recorded).toBeLessThan(90);
});

test('another share applies from the next trace on', async () => {
  const { agent, tracer, tracing } = await setUp({ sampleRatio: 0 });
  tracer.startSpan('before.').finish();
  tracing.setSampleRatio(1);
  tracer.startSpan('after.').finish();
  await tracing.close();
  await eventually(() => expect(agent.has('after.')).toBe(true));
  expect(agent.has('before.')).toBe(false);
});

test('an unreachable agent causes one log line and no error', async () => {
  const { tracer, tracing, log } = await setUp({ host: '255.255.255.255' });
  for (let i = 0; i < 3; i++) tracer.startSpan('a call').finish();
  await tracing.close();
  expect(log.lines).toMatchObject([{ level: 40, msg: 'spans could not be sent and are lost' }]);
});
