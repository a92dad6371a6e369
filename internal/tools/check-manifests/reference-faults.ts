import type { IIngress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import type { IService } from 'kubernetes-models/v1/Service';
import { findPodFaults } from './pod-faults.ts';
import type { Manifests, Resource } from './read-manifests.ts';
import { type Selector, type Workload, Workloads } from './workloads.ts';

/** What manifests name and is not there: pods, ports, services, settings. */
export function findReferenceFaults(manifests: Manifests, workloads: Workloads): string[] {
  const { resources, images } = manifests;
  const faults = [
    ...workloads.all.flatMap((workload) => findPodFaults(workload, manifests)),
    ...workloads.all.flatMap((workload) => findSelectionFaults(workload, resources)),
  ];
  const used = workloads.all.flatMap(({ containers }) => containers.map(({ image }) => image));
  for (const image of images)
    if (!used.includes(image)) faults.push(`kustomization.yaml: nothing uses the image ${image}`);
  for (const resource of resources) {
    const where = `${resource.file}: ${resource.kind} ${resource.metadata?.name ?? ''}`;
    faults.push(...findFaults(resource, resources, workloads).map((fault) => `${where}: ${fault}`));
  }
  return faults;
}

function findFaults(resource: Resource, resources: readonly Resource[], workloads: Workloads): string[] {
  switch (resource.kind) {
    case 'Service':
      return findServiceFaults(resource as unknown as IService, workloads);
    case 'Ingress':
      return findIngressFaults(resource as unknown as IIngress, resources);
    case 'NetworkPolicy':
      return findPolicyFaults(resource as unknown as INetworkPolicy, workloads);
    case 'PodDisruptionBudget': {
      const { selector } = resource.spec as { selector: Selector };
      return workloads.selectedBy(selector).length === 1 ? [] : ['selects not the pods of one workload'];
    }
    case 'HorizontalPodAutoscaler': {
      const { kind, name } = (resource.spec as { scaleTargetRef: { kind: string; name: string } }).scaleTargetRef;
      const target = resources.find((it) => it.kind === kind && it.metadata?.name === name);
      if (!target) return [`there is no ${kind} ${name}`];
      const { replicas } = target.spec as { replicas?: number };
      return replicas === undefined ? [] : [`${kind} ${name} says itself how many it has`];
    }
    default:
      return [];
  }
}

function findSelectionFaults(
  { where, kind, labels, selector, serviceName, pod }: Workload,
  resources: readonly Resource[],
) {
  const faults: string[] = [];
  const matches = ({ matchLabels = {} }: Selector) =>
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
  if (!matches(selector)) faults.push(`${where}: its selector does not select its own pods`);
  for (const { labelSelector = {} } of pod.topologySpreadConstraints ?? []) {
    if (!matches(labelSelector as Selector)) faults.push(`${where}: a spread constraint is not of its own pods`);
  }
  if (kind === 'StatefulSet' && !resources.some((it) => it.kind === 'Service' && it.metadata?.name === serviceName)) {
    faults.push(`${where}: there is no Service ${serviceName}`);
  }
  return faults;
}

function findServiceFaults({ spec }: IService, workloads: Workloads): string[] {
  const selected = workloads.selectedBy({ matchLabels: spec?.selector ?? {} });
  if (!spec?.selector || selected.length === 0) return ['selects no pods'];
  const ports = Workloads.portsOf(selected);
  return (spec.ports ?? [])
    .map(({ port, targetPort = port }) => targetPort)
    .filter((port) => !ports.has(port))
    .map((port) => `its pods have no port ${port}`);
}

function findIngressFaults({ spec }: IIngress, resources: readonly Resource[]): string[] {
  const paths = (spec?.rules ?? []).flatMap(({ http }) => http?.paths ?? []);
  return paths.flatMap(({ backend: { service } }) => {
    if (!service) return [];
    const { name, port } = service;
    const found = resources.find((it) => it.kind === 'Service' && it.metadata?.name === name) as IService | undefined;
    const ports = found?.spec?.ports ?? [];
    const has = ports.some((it) => (port?.name === undefined ? it.port === port?.number : it.name === port.name));
    return has ? [] : [`there is no Service ${name} with a port ${port?.name ?? port?.number}`];
  });
}

function findPolicyFaults({ spec }: INetworkPolicy, workloads: Workloads): string[] {
  const faults: string[] = [];
  const { podSelector = {}, ingress = [] } = spec ?? {};
  const selected = workloads.selectedBy(podSelector as Selector);
  if (selected.length === 0) faults.push('is for no pods');
  const ports = Workloads.portsOf(selected);
  for (const rule of ingress) {
    for (const { port } of rule.ports ?? []) {
      if (port !== undefined && !ports.has(port)) faults.push(`its pods have no port ${port}`);
    }
    for (const { podSelector, namespaceSelector } of rule.from ?? []) {
      // Of other namespaces nothing is known.
      if (!podSelector || namespaceSelector) continue;
      const { matchExpressions = [] } = podSelector as Selector;
      const names = matchExpressions.flatMap(({ key, operator, values = [] }) =>
        operator === 'In' ? values.map((value) => ({ matchLabels: { [key]: value } })) : [],
      );
      for (const one of [podSelector as Selector, ...names]) {
        if (workloads.selectedBy(one).length === 0) faults.push(`lets in no pods by ${JSON.stringify(one)}`);
      }
    }
  }
  return faults;
}
