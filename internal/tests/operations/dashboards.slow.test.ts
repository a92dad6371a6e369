// Slow: a real Prometheus scrapes a service with every part under traffic.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dashboards, panelsOf } from '../../monitoring/dashboards.ts';
import { toPromql } from '../../monitoring/panels/query.ts';
import { unshownMetrics } from '../../monitoring/unshown-metrics.ts';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { useAllTransports } from '../../testing/clients/all-transports.ts';
import { eventually } from '../../testing/eventually.ts';
import { ingestEnv } from '../../testing/services/ingest-env.ts';
import { TestPrometheus } from '../../testing/services/test-prometheus.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let nats: ServerProcess;
let service: TestService;
let prometheus: TestPrometheus;
beforeAll(async () => {
  nats = await startNats();
  const bus = { BUS_URL: `nats://127.0.0.1:${nats.port}` };
  service = await startTestService({
    ...{ ADMIN: 'true', ADMIN_PORT: '0', EXPORT: 'jetstream' },
    ...ingestEnv(nats),
    ...bus,
  });
  prometheus = await TestPrometheus.start([service.app.adminPort!]);
});
afterAll(async () => {
  await prometheus?.stop();
  await service?.stop();
  await nats?.stop();
});

const scope = { nodes: `job="chat",instance=~".*"`, window: '15s' };

const queries = dashboards.flatMap((dashboard) =>
  panelsOf(dashboard).flatMap(({ title, queries }) =>
    queries.map(({ query }) => ({ panel: `${dashboard.uid}: ${title}`, query: toPromql(query, scope) })),
  ),
);

test('every query of every panel has data under traffic by every transport', async () => {
  const stop = await useAllTransports(service);
  await eventually(async () => {
    const results = await Promise.all(
      queries.map(async (one) => ({ ...one, samples: await prometheus.query(one.query) })),
    );
    expect(results.filter(({ samples }) => samples.length === 0)).toEqual([]);
  });
  await stop();
});

/** The alerts that a busy machine brings about: it makes the service slow, and lets scrapes time out. */
const slowness = 'ChatProcessDown|Chat.*(Slow|Late|Waits|CatchUp|ManyRepairs)';

test('while the service is well no alert is pending, and none of slowness stays', async () => {
  const stop = await useAllTransports(service);
  // The rules are evaluated each second.
  await eventually(async () => {
    expect(await prometheus.query('count_over_time(up[5m]) >= 20')).toHaveLength(1);
    expect(await prometheus.query('count by (alertname) (ALERTS)')).toEqual([]);
  });
  const others = `count by (alertname) (count_over_time(ALERTS{alertname!~"${slowness}"}[5m]))`;
  expect(await prometheus.query(others)).toEqual([]);
  await stop();
});

test('every metric of the service has a panel, or a reason why not', async () => {
  const text = await (await fetch(`http://127.0.0.1:${service.app.adminPort}/metrics`)).text();
  const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type]) =>
    type === 'counter' && !name.endsWith('_total') ? `${name}_total` : name,
  );
  const used = queries.flatMap(({ query }) => [...query.matchAll(/(\w+)\{/g)].map(([, name = '']) => name));
  const shown = new Set(used.map((name) => name.replace(/_(bucket|sum|count)$/, '')));
  expect(families.filter((name) => !shown.has(name)).toSorted()).toEqual(Object.keys(unshownMetrics).toSorted());
  // A misspelt name would be 0 for ever.
  const others = new Set(['up', 'ALERTS']);
  expect([...shown].filter((name) => !families.includes(name) && !others.has(name))).toEqual([]);
});
