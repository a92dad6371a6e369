import type { Manifests, Resource } from '../check-manifests/read-manifests.ts';

const settingsName = 'chat-settings';
const componentLabel = 'app.kubernetes.io/component';
const releaseLabel = 'app.kubernetes.io/instance';
const nameLabel = 'app.kubernetes.io/name';

/**
 * What manifests deploy, by kind and name, so that those of the chart's release `chat` equal those of the kustomization: without the labels of
 * releases, the first part of names, and the place and version of the image.
 */
export function comparable({
  resources,
  generated,
}: Pick<Manifests, 'resources' | 'generated'>): Record<string, unknown> {
  const settings = generated.find(({ name }) => name === settingsName)?.data ?? new Map();
  const others = resources.filter(({ metadata }) => metadata?.name !== settingsName);
  return Object.fromEntries([
    [settingsName, Object.fromEntries(settings)],
    ...others.map((resource) => [`${resource.kind} ${nameOf(resource)}`, simplify(bodyOf(resource))]),
  ]);
}

function nameOf({ metadata }: Resource): string {
  return (metadata?.name ?? '').replace(/^chat-(?=message-writer|relay|nobody|clients-to-chat)/, '');
}

function bodyOf({ apiVersion, metadata, spec }: Resource): unknown {
  const { annotations = {} } = (metadata ?? {}) as { annotations?: unknown };
  return { apiVersion, annotations, spec };
}

function simplify(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(simplify);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value as Record<string, unknown>);
  if (releaseLabel in value) return simplifyLabels(value as Record<string, string>);
  return Object.fromEntries(fields.flatMap(([key, field]) => simplifyField(key, simplify(field))));
}

/** In the chart all pods have one name, and what they are is their component; the release's pods are all pods. */
function simplifyLabels({ [componentLabel]: component }: Record<string, string>): Record<string, string> {
  return component === undefined ? {} : { [nameLabel]: component };
}

function simplifyField(key: string, value: unknown): [string, unknown][] {
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  if (key === 'checksum/settings' || key === 'imagePullPolicy') return [];
  if (isEmpty && (key === 'annotations' || key === 'matchLabels')) return [];
  return [[key, key === 'image' ? String(value).replace(/^.*\/|:[^:]*$/g, '') : value]];
}
