#!/usr/bin/env node
// Checks a Helm chart, without a cluster: see checkChart.
import { checkChart } from './check-chart.ts';

const [chart, secrets] = process.argv.slice(2);
if (!chart || !secrets) throw new Error('usage: check-chart CHART SECRETS');
try {
  for (const fault of await checkChart(chart, secrets)) {
    console.error(`${chart}: ${fault}`);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
}
