import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IProbe } from 'kubernetes-models/v1/Probe';
import type { Manifests } from './read-manifests.ts';
import { portsOf, type Workload } from './workloads.ts';

/** What a workload's pods name and do not have: labels, volumes, ports, settings, images. */
export function findPodFaults(workload: Workload, manifests: Manifests): string[] {
  const { containers, initContainers, pod } = workload;
  const faults: string[] = [];
  for (const container of [...initContainers, ...containers]) {
    const says = (fault: string) => faults.push(`container ${container.name}: ${fault}`);
    for (const fault of findContainerFaults(container, workload, manifests)) says(fault);
  }
  for (const { name, configMap, secret } of pod.volumes ?? []) {
    for (const [kind, source] of [
      ['ConfigMap', configMap?.name],
      ['Secret', secret?.secretName],
    ] as const) {
      if (source !== undefined && !manifests.generated.some((it) => it.kind === kind && it.name === source)) {
        faults.push(`volume ${name}: there is no ${kind} ${source}`);
      }
    }
  }
  return faults.map((fault) => `${workload.where}: ${fault}`);
}

function findContainerFaults(container: IContainer, { volumes }: Workload, manifests: Manifests): string[] {
  const {
    image = '',
    volumeMounts = [],
    env = [],
    envFrom = [],
    startupProbe,
    readinessProbe,
    livenessProbe,
  } = container;
  const faults: string[] = [];
  if (!manifests.images.includes(image) && !/:[^/]+$/.test(image)) faults.push(`image ${image} has no version`);
  for (const { name } of volumeMounts) if (!volumes.includes(name)) faults.push(`there is no volume ${name}`);
  const ports = portsOf([container]);
  for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
    const port = probe && portOf(probe);
    if (port !== undefined && !ports.has(port)) faults.push(`a probe asks at port ${port}, which it does not have`);
  }
  const missing = (kind: string, name = '', key?: string) => {
    const found = manifests.generated.find((it) => it.kind === kind && it.name === name);
    if (!found) faults.push(`there is no ${kind} ${name}`);
    else if (key !== undefined && !found.data.has(key)) faults.push(`${kind} ${name} has no ${key}`);
  };
  for (const { configMapRef, secretRef } of envFrom) {
    if (configMapRef) missing('ConfigMap', configMapRef.name);
    if (secretRef) missing('Secret', secretRef.name);
  }
  for (const { valueFrom } of env) {
    const { configMapKeyRef, secretKeyRef } = valueFrom ?? {};
    if (configMapKeyRef) missing('ConfigMap', configMapKeyRef.name, configMapKeyRef.key);
    if (secretKeyRef) missing('Secret', secretKeyRef.name, secretKeyRef.key);
  }
  return faults;
}

function portOf({ httpGet, tcpSocket, grpc }: IProbe): string | number | undefined {
  return httpGet?.port ?? tcpSocket?.port ?? grpc?.port;
}
