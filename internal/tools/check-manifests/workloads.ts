import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec';
import type { Resource } from './read-manifests.ts';

export type Labels = Readonly<Record<string, string>>;

/** Selects pods by their labels; all of them if it is empty. */
export interface Selector {
  matchLabels?: Labels;
  matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
}

/** A manifest that makes pods. */
export interface Workload {
  /** File, kind and name. */
  where: string;
  kind: string;
  name: string;
  selector: Selector;
  /** The service that names a stateful set's pods. */
  serviceName: string | undefined;
  labels: Labels;
  pod: NonNullable<IPodTemplateSpec['spec']>;
  containers: readonly IContainer[];
  initContainers: readonly IContainer[];
  /** Of the volumes that the pods have. */
  volumes: readonly string[];
}

interface WorkloadSpec {
  selector?: Selector;
  serviceName?: string;
  template: IPodTemplateSpec;
  volumeClaimTemplates?: readonly { metadata?: { name?: string } }[];
}

/** The manifests that make pods. */
export class Workloads {
  readonly all: readonly Workload[];

  /** The resources must have the fields of their kinds. */
  constructor(resources: readonly Resource[]) {
    this.all = resources.flatMap((resource) => toWorkload(resource) ?? []);
  }

  /** Those whose pods the selector selects. */
  selectedBy(selector: Selector): readonly Workload[] {
    return this.all.filter(({ labels }) => selects(selector, labels));
  }

  /** Names and numbers of the ports that the workloads have all of them. */
  static portsOf(workloads: readonly Workload[]): Set<string | number> {
    const [first = new Set<string | number>(), ...others] = workloads.map(({ containers }) => portsOf(containers));
    return others.reduce((all, some) => all.intersection(some), first);
  }
}

/** Names and numbers of the containers' ports. */
export function portsOf(containers: readonly IContainer[]): Set<string | number> {
  const ports = containers.flatMap(({ ports = [] }) => ports);
  return new Set(ports.flatMap(({ name, containerPort }) => (name ? [name, containerPort] : [containerPort])));
}

function toWorkload({ file, kind, metadata, spec }: Resource): Workload | undefined {
  const { selector = {}, serviceName, template, volumeClaimTemplates = [] } = (spec ?? {}) as WorkloadSpec;
  if (!template?.spec) return undefined;
  const name = metadata?.name ?? '';
  const { containers, initContainers = [], volumes = [] } = template.spec;
  return {
    where: `${file}: ${kind} ${name}`,
    kind,
    name,
    selector,
    serviceName,
    labels: template.metadata?.labels ?? {},
    pod: template.spec,
    containers,
    initContainers,
    volumes: [...volumes.map(({ name }) => name), ...volumeClaimTemplates.map(({ metadata }) => metadata?.name ?? '')],
  };
}

function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  const byLabels = Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
  return byLabels && matchExpressions.every((expression) => holds(expression, labels));
}

function holds(
  { key, operator, values = [] }: NonNullable<Selector['matchExpressions']>[number],
  labels: Labels,
): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}
