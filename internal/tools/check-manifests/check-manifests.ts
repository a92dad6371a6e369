import { type Manifests, readManifests } from './read-manifests.ts';
import { findReferenceFaults } from './reference-faults.ts';
import { findSchemaFaults } from './schema-faults.ts';
import { findSettingFaults } from './setting-faults.ts';
import { Workloads } from './workloads.ts';

/**
 * Checks a folder of manifests with its kustomization: that nothing is left out, that each manifest has the fields of its kind and no others,
 * that what they name is there, and that the service would start with its settings. Returns what is wrong, a line each.
 */
export async function checkManifests(folder: string): Promise<string[]> {
  return findFaults(await readManifests(folder));
}

/** What is wrong with manifests, a line each. */
export function findFaults(manifests: Manifests): string[] {
  const { resources } = manifests;
  const faults = [...manifests.faults, ...resources.flatMap(findSchemaFaults)];
  // What follows relies on the fields.
  if (faults.length > 0) return faults;
  const workloads = new Workloads(resources);
  return [...findReferenceFaults(manifests, workloads), ...findSettingFaults(manifests, workloads)];
}
