import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';

/** One document of a manifest's file. */
export interface Resource {
  file: string;
  apiVersion: string;
  kind: string;
  metadata?: { name?: string };
  [field: string]: unknown;
}

/** What a config map or secret of the kustomization consists of. */
export interface Generated {
  kind: 'ConfigMap' | 'Secret';
  name: string;
  /** By key; what comes from an example is as it stands there. */
  data: ReadonlyMap<string, string>;
}

export interface Manifests {
  resources: readonly Resource[];
  generated: readonly Generated[];
  /** Names of images that the kustomization replaces. */
  images: readonly string[];
  /** What is wrong with the kustomization and its files. */
  faults: readonly string[];
}

interface Generator {
  name: string;
  envs?: string[];
  files?: string[];
}

interface Kustomization {
  resources?: string[];
  configMapGenerator?: Generator[];
  secretGenerator?: Generator[];
  images?: { name: string }[];
}

const knownFields = [
  ...['apiVersion', 'kind', 'namespace', 'resources'],
  ...['configMapGenerator', 'secretGenerator', 'images'],
];

/** Reads what the folder's kustomization.yaml names. A file that the operator makes is read as its example. */
export async function readManifests(path: string): Promise<Manifests> {
  const folder = await Folder.open(path);
  const kustomization: Kustomization = parse(await folder.read('kustomization.yaml'));
  const { resources: files = [], configMapGenerator = [], secretGenerator = [], images = [] } = kustomization;
  const named = ['kustomization.yaml', ...files, ...[...configMapGenerator, ...secretGenerator].flatMap(filesOf)];
  const faults = [
    ...Object.keys(kustomization)
      .filter((field) => !knownFields.includes(field))
      .map((field) => `kustomization.yaml: ${field} is not a field that is known here`),
    ...named.filter((file) => !folder.has(file)).map((file) => `kustomization.yaml: ${file} is missing`),
    ...folder.files
      .filter((file) => !named.includes(file) && !named.includes(file.replace(/\.example$/, '')))
      .map((file) => `${file}: kustomization.yaml does not name it`),
  ];
  const resources: Resource[] = [];
  for (const file of files.filter((file) => folder.has(file))) {
    resources.push(...readResources(file, await folder.read(file), faults));
  }
  const generated = [
    ...configMapGenerator.map((generator) => generate('ConfigMap', generator, folder)),
    ...secretGenerator.map((generator) => generate('Secret', generator, folder)),
  ];
  return { resources, generated: await Promise.all(generated), images: images.map(({ name }) => name), faults };
}

/** A folder in which a file may be there as its example only. */
class Folder {
  readonly files: readonly string[];
  readonly #path: string;

  private constructor(path: string, files: readonly string[]) {
    this.#path = path;
    this.files = files;
  }

  static async open(path: string): Promise<Folder> {
    return new Folder(path, await readdir(path));
  }

  has(file: string): boolean {
    return this.files.includes(file) || this.files.includes(`${file}.example`);
  }

  /** The example if there is one: what the operator made of it is not ours to judge. */
  read(file: string): Promise<string> {
    const example = `${file}.example`;
    return readFile(join(this.#path, this.files.includes(example) ? example : file), 'utf8');
  }
}

function filesOf({ envs = [], files = [] }: Generator): string[] {
  return [...envs, ...files];
}

async function generate(kind: Generated['kind'], { name, envs = [], files = [] }: Generator, folder: Folder) {
  const data = new Map<string, string>();
  for (const file of envs.filter((file) => folder.has(file))) {
    for (const [key, value] of Object.entries(parseEnv(await folder.read(file)))) data.set(key, value ?? '');
  }
  for (const file of files.filter((file) => folder.has(file))) data.set(file, await folder.read(file));
  return { kind, name, data };
}

/** The documents of a YAML text. What is wrong with it goes into `faults`. */
export function readResources(file: string, text: string, faults: string[]): Resource[] {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    faults.push(...[...document.errors, ...document.warnings].map(({ message }) => `${file}: ${message}`));
    if (document.errors.length > 0) return [];
    const { apiVersion, kind, ...fields } = document.toJS() ?? {};
    if (typeof apiVersion === 'string' && typeof kind === 'string') return [{ file, apiVersion, kind, ...fields }];
    faults.push(`${file}: a document without apiVersion and kind`);
    return [];
  });
}
