import { createRequire } from 'node:module';
import type { Resource } from './read-manifests.ts';

const require = createRequire(import.meta.url);

/** Says whether the value that it is called on is right. */
type Validate = (this: unknown) => void;

/**
 * Compares a manifest with the schema of its kind. The schemas allow any field, as servers do that are older than a manifest; here a field that
 * the schema does not look at is a fault.
 */
export function findSchemaFaults({ file, ...manifest }: Resource): string[] {
  const { apiVersion, kind, metadata } = manifest;
  const where = `${file}: ${kind} ${metadata?.name ?? ''}`;
  const validate = findValidator(apiVersion, kind);
  if (!validate) return [`${where}: ${apiVersion} has no such kind`];
  const seen = new Set<string>();
  try {
    validate.call(watched(manifest, '', seen));
  } catch (error) {
    return [`${where}: ${(error as Error).message}`];
  }
  return fieldsOf(manifest, '')
    .filter((path) => !seen.has(path))
    .map((path) => `${where}: ${path} is not a field of it`);
}

function findValidator(apiVersion: string, kind: string): Validate | undefined {
  for (const models of ['kubernetes-models', '@kubernetes-models/prometheus-operator']) {
    try {
      const found: Record<string, { prototype: { validate: Validate } }> = require(`${models}/${apiVersion}/${kind}`);
      return found[kind]?.prototype.validate;
    } catch {
      // These models have no such kind.
    }
  }
  return undefined;
}

/** The same value, which notes the path of each field that is looked at. */
function watched<T>(value: T, path: string, seen: Set<string>): T {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get(target, key) {
      const field = Reflect.get(target, key);
      if (typeof key === 'symbol' || !Object.hasOwn(target, key)) return field;
      seen.add(`${path}/${key}`);
      return watched(field, `${path}/${key}`, seen);
    },
  });
}

/** The paths of all fields; of those within an unknown one too. */
function fieldsOf(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, field]) => [`${path}/${key}`, ...fieldsOf(field, `${path}/${key}`)]);
}
