import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const cached = fileURLToPath(new URL('../../../node_modules/.cache/helm/helm', import.meta.url));

/** The version of Kubernetes that charts are rendered for: a Helm that Go has built takes a version that is far too old. */
const kubeVersion = '1.35.0';

/** Helm has refused a chart or its values. The message is what Helm says of it. */
export class HelmError extends Error {}

/** Renders a chart as a release of this name: its manifests, as YAML. Throws HelmError. */
export function renderChart(chart: string, release: string, args: readonly string[]): Promise<string> {
  return runHelm(['template', release, chart, '--kube-version', kubeVersion, ...args]);
}

/** Has Helm look for faults in a chart. Throws HelmError. */
export async function lintChart(chart: string, args: readonly string[]): Promise<void> {
  await runHelm(['lint', chart, '--strict', '--quiet', '--kube-version', kubeVersion, ...args]);
}

async function runHelm(args: readonly string[]): Promise<string> {
  const helm = await access(cached).then(
    () => cached,
    () => 'helm',
  );
  try {
    const { stdout } = await promisify(execFile)(helm, args, { maxBuffer: 64 * 1_024 * 1_024 });
    return stdout;
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    if (code === 'ENOENT') {
      throw new Error('Helm is needed: `make helm` gets it, or put one on the PATH (helm.sh)', { cause: error });
    }
    throw new HelmError((stderr + stdout).trim());
  }
}
