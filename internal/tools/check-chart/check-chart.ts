import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findFaults } from '../check-manifests/check-manifests.ts';
import { readChart } from './read-chart.ts';
import { HelmError, lintChart } from './run-helm.ts';

/**
 * Checks a chart with its own values and with each file of values in its folder `ci`: by Helm's lint, and what it renders as manifests are checked.
 * `secrets` is a file with an example of the settings in its secret. Returns what is wrong, a line each.
 */
export async function checkChart(chart: string, secrets: string): Promise<string[]> {
  const files = (await readdir(join(chart, 'ci'))).map((file) => join('ci', file));
  const faults: string[] = [];
  for (const file of ['values.yaml', ...files]) {
    const args = ['--values', join(chart, file)];
    try {
      await lintChart(chart, args);
      faults.push(...findFaults(await readChart(chart, secrets, args)).map((fault) => `${file}: ${fault}`));
    } catch (error) {
      if (!(error instanceof HelmError)) throw error;
      faults.push(`${file}: ${error.message}`);
    }
  }
  return faults;
}
