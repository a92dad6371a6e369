import { pino } from 'pino';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { attribute, OtlpCollector } from '../../testing/collectors/otlp-collector.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { withActiveSpans } from './active-spans.ts';
import { OtlpTracing } from './otlp-tracing.ts';
import { TracedPool } from './traced-pool.ts';

let pool: TracedPool;
beforeAll(async () => {
  pool = new TracedPool({ connectionString: await createTestDatabase(), max: 1 });
  await pool.query('create table things (id int primary key, secret text)');
});
afterAll(() => pool.end());

/** The spans that the work opens within a span, as a collector receives them. */
async function spansOf(work: () => Promise<unknown>) {
  const collector = await OtlpCollector.start();
  onTestFinished(() => collector.stop());
  const options = { url: collector.url, serviceName: 'test', sampleRatio: 1, queueSize: 1_000 };
  const tracing = new OtlpTracing(options, pino({ level: 'silent' }));
  await withActiveSpans([tracing.tracer.startSpan('root')], work).catch(() => {});
  await tracing.close();
  return collector.spans.map(({ name, kind, status, attributes }) => {
    const tags = attributes.map(({ key }) => [key, attribute(attributes, key)] as const);
    return { name, kind, failed: status.code === 2, tags: Object.fromEntries(tags) };
  });
}

const client = 3;
const common = { 'db.system.name': 'postgresql', 'server.port': expect.any(Number) };

test.each([
  ['select * from things where id = $1', [1], 'SELECT things', { 'db.collection.name': 'things' }],
  ['insert into "public"."things" values (7, $1)', ['x'], 'INSERT public.things', { 'db.operation.name': 'INSERT' }],
  ['update things set secret = $1', ['x'], 'UPDATE things', {}],
  ['delete from only things', [], 'DELETE things', {}],
  ['with old as (delete from things returning id) select * from old', [], 'DELETE things', {}],
  ['with all_of_them as (select * from things) select * from all_of_them', [], 'SELECT things', {}],
  [
    'select * from generate_series(1, $1)',
    [3],
    'SELECT generate_series',
    { 'db.stored_procedure.name': 'generate_series' },
  ],
  ['begin', [], 'BEGIN', { 'db.query.summary': 'BEGIN' }],
  ['select 1', [], 'SELECT', {}],
])('%s', async (text, values, name, tags) => {
  const spans = await spansOf(() => pool.query(text, values as unknown[]));
  expect(spans).toMatchObject([{ name, kind: client, tags: { ...common, ...tags } }]);
});

test('a statement that fails is marked with its code, and neither values nor messages that quote them are sent', async () => {
  const secret = 'what nobody else may read';
  const [span] = await spansOf(() => pool.query('select $1::int as number from things', [secret]));
  expect(span?.failed).toBe(true);
  expect(span?.tags).toMatchObject({ 'error.type': '22P02', 'db.response.status_code': '22P02' });
  expect(JSON.stringify(span)).not.toContain(secret);
});

test('a statement that waits for a connection belongs to the call that asked for it, not to the one that has released it', async () => {
  const held = await pool.connect();
  let released = false;
  onTestFinished(() => void (released || held.release()));
  const untraced = pool.query('select 1 as untraced from things');
  const traced = spansOf(async () => {
    await pool.query('select 2 as traced from generate_series(1, 1)');
  });
  const others = await spansOf(async () => {
    held.release();
    released = true;
    await untraced;
  });
  expect(others).toEqual([]);
  expect(await traced).toHaveLength(1);
});
