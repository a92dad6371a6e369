import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { readDatabase } from '../../cluster/read-database.ts';
import { freePort } from '../../embedded/server/free-port.ts';
import { query } from '../../embedded/testing/test-bench.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { runProgram } from '../../testing/services/run-program.ts';
import { createTestBackup } from '../../testing/services/test-backup.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { Checker } from '../../verify/checker/checker.ts';
import type { World } from '../../verify/clients/world.ts';
import type { HistoryRecord } from '../../verify/history/history-record.ts';
import { Journal } from '../../verify/history/journal.ts';
import { formatVerdict } from '../../verify/report/format-verdict.ts';
import { runWorkload } from '../../verify/workload/run-workload.ts';

// Slow: random clients use the service before, during and after a restore from a backup.

/** Sends that must be acknowledged in each part of the run. */
const sendsOfPart = 100;

/** Drops the database and creates it anew, empty. */
async function wipe(dsn: string): Promise<void> {
  const admin = new URL(dsn);
  const name = admin.pathname.slice(1);
  admin.pathname = '/postgres';
  const client = new pg.Client({ connectionString: admin.href });
  await client.connect();
  try {
    await client.query(`drop database ${name} with (force)`);
    await client.query(`create database ${name} template template0`);
  } finally {
    await client.end();
  }
}

test('verify finds no violation over backup, wipe and restore, and its readers are told of the new epoch', {
  timeout: 600_000,
}, async () => {
  const dsn = await createTestDatabase();
  const [grpcPort, httpPort] = [await freePort(), await freePort()];
  const env = { POSTGRES_DSN: dsn, GRPC_PORT: `${grpcPort}`, HTTP_PORT: `${httpPort}`, REPAIR_INTERVAL_MS: '200' };
  const { path } = await createTestBackup();
  const service = await ChildService.start(env);

  const records: HistoryRecord[] = [];
  const checker = new Checker();
  const journal = new Journal((record) => {
    records.push(record);
    checker.add(record);
  });
  const acknowledged = () => records.filter((record) => record.kind === 'send' && record.outcome === 'ok').length;
  /** Resolves when as many sends as belong to a part of the run have been acknowledged from now on. */
  const nextPart = async () => {
    const before = acknowledged();
    await eventually(() => expect(acknowledged()).toBeGreaterThanOrEqual(before + sendsOfPart));
  };

  const enough = new AbortController();
  const prepared = Promise.withResolvers<World>();
  const deployment = { grpc: [service.address], http: [service.url] };
  const workload = runWorkload(deployment, journal, {
    seed: 7,
    clients: 8,
    durationMs: 500_000,
    paceMs: 20,
    faultsExpected: true,
    bounds: { deliveryMs: 60_000, revocationMs: 10_000 },
    settleMs: 60_000,
    onPrepared: prepared.resolve,
    enough: enough.signal,
  });
  onTestFinished(async () => {
    enough.abort();
    await Promise.allSettled([workload]);
  });
  const world = await Promise.race([prepared.promise, workload]);
  await nextPart();
  expect(await runProgram('backup', [path], { POSTGRES_DSN: dsn })).toMatchObject({ code: 0 });
  await nextPart();

  const begin = journal.now();
  service.signal('SIGTERM');
  await service.exited;
  await wipe(dsn);
  const restored = await runProgram('restore', [path], { POSTGRES_DSN: dsn });
  expect(restored).toMatchObject({ code: 0, stdout: expect.stringMatching(/in the new epoch \w{32}\n/) });
  const { epoch, chats } = await readDatabase((sql) => query(dsn, sql));
  expect(restored.stdout).toContain(epoch);
  world!.goBack(chats);
  const lastSeqs = Object.fromEntries([...chats].map(([id, { lastSeq }]) => [id, lastSeq]));
  journal.add({ kind: 'epoch', begin, at: journal.now(), epoch, chats: lastSeqs });
  await ChildService.start(env);
  await nextPart();
  enough.abort();
  await workload;

  const verdict = checker.finish();
  expect(verdict.violations, formatVerdict(verdict)).toEqual([]);
  expect(verdict.figures.audited).toBeGreaterThan(3);
  // The message feed of the SDK also notes a reset when it begins a chat, in the epoch that it finds.
  const since = records.slice(records.findIndex(({ kind }) => kind === 'epoch'));
  const told = since.flatMap((record) => (record.kind === 'reset' ? record.epoch : []));
  expect(told.length).toBeGreaterThan(0);
  expect(new Set(told)).toEqual(new Set([epoch]));
});
