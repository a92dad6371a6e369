import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { orInterrupted } from '../../internal/app/process/abort-on-interrupt.ts';
import { EmbeddedPostgres } from '../../internal/embedded/embedded-postgres.ts';
import { endChildren } from '../../internal/servers/end-with-process.ts';
import type { Figure } from './figure.ts';
import { manyNodesScenarios } from './many-nodes-scenarios.ts';
import { nodeScenarios } from './node-scenarios.ts';

const scenarios = { ...nodeScenarios, ...manyNodesScenarios };

/** Runs the scenarios on a PostgreSQL of their own, prints a table and writes the figures as JSON. Throws the signal's reason when that aborts. */
export async function runBench(
  { quick = false, only }: { quick?: boolean; only?: string },
  signal: AbortSignal,
): Promise<void> {
  if (only !== undefined && !Object.hasOwn(scenarios, only)) {
    throw new Error(`there is no scenario "${only}": choose ${Object.keys(scenarios).join(', ')}`);
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'chat-bench-'));
  const server = await EmbeddedPostgres.start({ dataDir, settings: { max_connections: '200' } }, signal);
  try {
    const figures: Figure[] = [];
    for (const [name, measure] of Object.entries(scenarios)) {
      if (only !== undefined && name !== only) continue;
      console.error(`measuring: ${name} …`);
      const newDatabase = () => createDatabase(server.dsn);
      const measured = measure({ newDatabase, seconds: quick ? 1 : 10, folder: dataDir });
      figures.push(...(await orInterrupted(measured, signal)));
    }
    print(figures);
    await save(figures);
  } finally {
    // After an interruption they run, and would complain of a database that goes.
    endChildren();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

let databases = 0;

async function createDatabase(dsn: string): Promise<string> {
  databases += 1;
  const name = `bench_${databases}`;
  const client = new pg.Client({ connectionString: dsn });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  const url = new URL(dsn);
  url.pathname = `/${name}`;
  return url.href;
}

function print(figures: readonly Figure[]): void {
  const rows = figures.map(({ what, value, unit, baseline }) => [
    what,
    `${format(value)} ${unit}`,
    baseline ? `${format(value / baseline.value)} ×` : '',
    baseline ? `${baseline.what}: ${format(baseline.value)} ${unit}` : '',
  ]);
  rows.unshift(['figure', 'value', 'ratio', 'to']);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
}

async function save(figures: readonly Figure[]): Promise<void> {
  const machine = {
    cpu: cpus()[0]?.model,
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
  await mkdir('bench-results', { recursive: true });
  const file = join('bench-results', `${new Date().toISOString().replaceAll(':', '-')}.json`);
  await writeFile(file, `${JSON.stringify({ machine, figures }, null, 2)}\n`);
  console.log(`\nwritten to ${file}`);
}

function format(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}
