import { startNats, startRedis } from '../../internal/servers/brokers.ts';
import { measureWrites } from './durable-writes.ts';
import type { Figure, Scenario } from './figure.ts';
import { measureLatency } from './latency.ts';
import { measureStorm } from './reconnect-storm.ts';
import { measureRollingRestart } from './rolling-restart.ts';

/** Scenarios with several nodes or processes. All of them share one machine: the figures show what each part costs, not what more machines would gain. */
export const manyNodesScenarios: Record<string, Scenario> = {
  buses: async ({ newDatabase, seconds }) => {
    const [nats, redis] = await Promise.all([startNats(), startRedis()]);
    try {
      const alone = await measureLatency(await newDatabase(), seconds * 1_000);
      const figures: Figure[] = [];
      for (const [name, url] of [
        ['PostgreSQL', 'postgres:'],
        ['NATS', `nats://127.0.0.1:${nats.port}`],
        ['Redis', `redis://127.0.0.1:${redis.port}`],
      ] as const) {
        const { p50Ms, p99Ms } = await measureLatency(await newDatabase(), seconds * 1_000, url);
        const what = `send to receipt on another node over ${name}`;
        const onOne = (value: number) => ({ what: 'on the same node', value });
        figures.push({ what: `${what}: p50`, value: p50Ms, unit: 'ms', baseline: onOne(alone.p50Ms) });
        figures.push({ what: `${what}: p99`, value: p99Ms, unit: 'ms', baseline: onOne(alone.p99Ms) });
      }
      return figures;
    } finally {
      await Promise.all([nats.stop(), redis.stop()]);
    }
  },
  workers: async ({ newDatabase, seconds }) => {
    const load = { streams: 64, window: 64, warmUpMs: 1_500, durationMs: seconds * 1_000 };
    const one = await measureWrites(await newDatabase(), load, { BUS_URL: 'postgres:' });
    const two = await measureWrites(await newDatabase(), load, { WORKERS: '2' });
    const baseline = { what: 'one process on the same bus', value: one.perSecond };
    return [{ what: 'durable acknowledged messages, WORKERS=2', value: two.perSecond, unit: '/s', baseline }];
  },
  ingest: async ({ newDatabase, seconds }) => {
    const nats = await startNats();
    try {
      const load = { streams: 64, window: 64, warmUpMs: 1_500, durationMs: seconds * 1_000 };
      const direct = await measureWrites(await newDatabase(), load);
      const env = { INGEST: 'jetstream', NATS_URL: `nats://127.0.0.1:${nats.port}` };
      const accepted = await measureWrites(await newDatabase(), load, env);
      const baseline = (value: number) => ({ what: 'committed directly', value });
      const what = 'messages accepted by JetStream, with writers beside';
      return [
        { what, value: accepted.perSecond, unit: '/s', baseline: baseline(direct.perSecond) },
        {
          what: `${what}: service's processor time`,
          value: accepted.serviceMicros,
          unit: 'µs',
          baseline: baseline(direct.serviceMicros),
        },
      ];
    } finally {
      await nats.stop();
    }
  },
  storm: async ({ newDatabase, seconds, folder }) => {
    const clients = seconds < 2 ? 1_000 : 5_000;
    const load = { clients, behind: 50, quietMs: seconds * 1_000, folder };
    const figures = await measureStorm(await newDatabase(), load);
    const elsewhere = await measureStorm(await newDatabase(), load, true);
    const what = `${clients} clients come back at once, each 50 messages behind`;
    const before = (value: number) => ({ what: 'before', value });
    const onOther = `${clients} clients come back at once to another node on the same machine`;
    return [
      {
        what: `${what}: with everything`,
        value: figures.caughtUp,
        unit: '',
        baseline: { what: 'clients', value: clients },
      },
      { what: `${what}: until the last has everything`, value: figures.allMs / 1_000, unit: 's' },
      {
        what: `${what}: database transactions`,
        value: figures.statements,
        unit: '',
        baseline: { what: 'clients', value: clients },
      },
      { what: `${what}: others' p50`, value: figures.during.p50Ms, unit: 'ms', baseline: before(figures.before.p50Ms) },
      { what: `${what}: others' p99`, value: figures.during.p99Ms, unit: 'ms', baseline: before(figures.before.p99Ms) },
      {
        what: `${onOther}: others' p99`,
        value: elsewhere.during.p99Ms,
        unit: 'ms',
        baseline: before(elsewhere.before.p99Ms),
      },
    ];
  },
  rolling: async ({ newDatabase, seconds, folder }) => {
    const nats = await startNats();
    try {
      const clients = seconds < 2 ? 300 : 2_000;
      const dsn = await newDatabase();
      const result = await measureRollingRestart(dsn, { clients, bus: `nats://127.0.0.1:${nats.port}`, folder });
      const what = `three nodes replaced one after the other under ${clients} clients`;
      return [
        { what: `${what}: acknowledged`, value: result.acknowledged, unit: '' },
        { what: `${what}: acknowledged and lost`, value: result.lost, unit: '' },
        { what: `${what}: doubled or out of order`, value: result.doubled + result.disordered, unit: '' },
        { what: `${what}: refused or without an answer`, value: result.failed, unit: '' },
        { what: `${what}: reconnections`, value: result.reconnections, unit: '' },
        { what: `${what}: from disconnection to online, p50`, value: result.resumeP50Ms, unit: 'ms' },
        { what: `${what}: from disconnection to online, p99`, value: result.resumeP99Ms, unit: 'ms' },
      ];
    } finally {
      await nats.stop();
    }
  },
};
