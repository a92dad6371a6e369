#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { abortOnInterrupt } from '../../internal/app/process/abort-on-interrupt.ts';
import { runBench } from './run-bench.ts';

const usage = `usage: bench [--quick] [--only NAME]

Measures the service against baselines in the same run, prints a table and writes bench-results/<time>.json.
Figures of different machines or runs cannot be compared; the ratios within one run can.

  --quick       a tenth of the time, for a first look
  --only NAME   writes, latency, fan-out, gateway, edits, streamed, tracing, memory; of many nodes: buses, workers, ingest, storm, rolling
`;

try {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean' }, only: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) console.log(usage);
  else await runBench(values, abortOnInterrupt('interrupted: there are no figures'));
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  // What was interrupted may still wait.
  process.exit(1);
}
