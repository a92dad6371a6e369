import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { type Manifests, type Resource, readResources } from '../check-manifests/read-manifests.ts';
import { renderChart } from './run-helm.ts';

/** The secret that the chart's user creates. Its passwords are examples. */
const secretName = 'chat-secrets';
const adminToken = 'changeme-changeme';

/** Renders the chart with these arguments of Helm. `secrets` is a file with an example of the secret's settings. Throws HelmError. */
export async function readChart(chart: string, secrets: string, args: readonly string[]): Promise<Manifests> {
  const text = await renderChart(chart, 'chat', args);
  const faults: string[] = [];
  const resources = readResources('chart', text, faults);
  const data = Object.entries({ ...parseEnv(await readFile(secrets, 'utf8')), ADMIN_TOKEN: adminToken });
  const generated: Manifests['generated'] = [
    { kind: 'Secret', name: secretName, data: new Map(data.map(([key, value]) => [key, value ?? ''])) },
    ...resources.filter(({ kind }) => kind === 'ConfigMap').map(toGenerated),
  ];
  return { resources, generated, images: [], faults };
}

function toGenerated({ metadata, data }: Resource): Manifests['generated'][number] {
  return {
    kind: 'ConfigMap',
    name: metadata?.name ?? '',
    data: new Map(Object.entries(data as Record<string, string>)),
  };
}
