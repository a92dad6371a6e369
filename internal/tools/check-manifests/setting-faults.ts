import type { IContainer } from 'kubernetes-models/v1/Container';
import { readConfig } from '../../config/config.ts';
import { ConfigError } from '../../config/reading/env-reader.ts';
import { settingNames } from '../../config/setting-names.ts';
import type { Manifests } from './read-manifests.ts';
import type { Workload, Workloads } from './workloads.ts';

/** The image of the service, in manifests: with a registry and a version, or without. */
const serviceImage = /(^|\/)chat-service(:|$)/;

/** What the examples have in place of each password. */
const placeholder = /changeme/g;

/** How long the service takes to close what it has open once it is drained, in seconds. */
const closingSeconds = 5;

/** What the service would say of its settings in each of its containers; and whether it is given the time to stop. */
export function findSettingFaults({ generated }: Manifests, workloads: Workloads): string[] {
  return workloads.all.flatMap((workload) => {
    const containers = [...workload.initContainers, ...workload.containers].filter(({ image = '' }) =>
      serviceImage.test(image),
    );
    const faults = containers.flatMap((container) => {
      const env = envOf(container, generated);
      const drains = workload.containers.includes(container);
      return [...judgeSettings(env), ...(drains ? judgeGrace(workload, container, env) : [])].map(
        (fault) => `container ${container.name}: ${fault}`,
      );
    });
    return faults.map((fault) => `${workload.where}: ${fault}`);
  });
}

/**
 * Unknown settings, and the faults of those that are known, as in production; with passwords in place of those that examples leave out, without
 * which they must be refused.
 */
export function judgeSettings(env: Readonly<Record<string, string>>): string[] {
  const known = settingNames();
  const unknown = Object.keys(env).filter((name) => !known.has(name));
  const filledIn = Object.entries(env).map(([name, value]) => [name, value.replace(placeholder, 'b8fJ2qLw')]);
  const faults = [
    ...unknown.map((name) => `${name} is no setting of the service`),
    ...faultsOf(Object.fromEntries(filledIn)),
  ];
  const hasExample = Object.values(env).some((value) => value.search(placeholder) >= 0);
  if (hasExample && faultsOf(env).length === 0) faults.push('the example of a password is taken for one');
  return faults;
}

function faultsOf(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    readConfig({ NODE_ENV: 'production', ...env });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

function envOf({ envFrom = [], env = [] }: IContainer, generated: Manifests['generated']): Record<string, string> {
  const of = (kind: string, name = '') =>
    generated.find((it) => it.kind === kind && it.name === name)?.data ?? new Map();
  const all = envFrom.map(({ configMapRef, secretRef }) =>
    configMapRef ? of('ConfigMap', configMapRef.name) : of('Secret', secretRef?.name),
  );
  const own = env.map(({ name, value, valueFrom }): [string, string] => {
    const { configMapKeyRef, secretKeyRef } = valueFrom ?? {};
    if (configMapKeyRef) return [name, of('ConfigMap', configMapKeyRef.name).get(configMapKeyRef.key)];
    if (secretKeyRef) return [name, of('Secret', secretKeyRef.name).get(secretKeyRef.key)];
    return [name, value ?? ''];
  });
  return Object.fromEntries([...all.flatMap((data) => [...data]), ...own]);
}

function judgeGrace({ pod }: Workload, { lifecycle }: IContainer, env: Readonly<Record<string, string>>): string[] {
  const [program, seconds] = lifecycle?.preStop?.exec?.command ?? [];
  const pause = program === 'sleep' ? Number(seconds) : 0;
  const needed = pause + Number(env.DRAIN_TIMEOUT_MS ?? 10_000) / 1_000 + closingSeconds;
  const given = pod.terminationGracePeriodSeconds ?? 30;
  return given >= needed ? [] : [`it is given ${given} s to stop, and needs ${needed} s`];
}
