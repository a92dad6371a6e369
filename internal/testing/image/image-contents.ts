import { execFile } from 'node:child_process';
import { cp, readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ignore from '@balena/dockerignore';

// Its types describe an ES module, and it is none.
const dockerignore = ignore as unknown as typeof ignore.default;

const root = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Lays out in a folder, without Docker, what the Dockerfile puts into the image's folder: the packages of production, pruned, the sources that
 * .dockerignore lets through, and the built page.
 */
export async function layOutImage(folder: string): Promise<void> {
  await copyPackages(folder);
  await promisify(execFile)(join(root, 'deploy/image/prune-packages.sh'), [join(folder, 'node_modules')]);
  for (const file of await imageSources()) await cp(join(root, file), join(folder, file));
  await cp(join(root, 'cmd/web/dist'), join(folder, 'cmd/web/dist'), { recursive: true });
}

/** The files of this repository that the Dockerfile copies into the image. */
export async function imageSources(): Promise<string[]> {
  const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8');
  const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  const copied = [...lastStage.matchAll(/^COPY (?!--from)(\S+) /gm)].map(([, path = '']) => path);
  const files = await Promise.all(copied.map((path) => filesOf(join(root, path))));
  const paths = files.flat().map((file) => relative(root, file));
  return dockerignore()
    .add(await readFile(join(root, '.dockerignore'), 'utf8'))
    .filter(paths);
}

/** Copies what `npm ci --omit=dev --omit=optional` would install. */
async function copyPackages(folder: string): Promise<void> {
  interface Locked {
    dev?: boolean;
    optional?: boolean;
    devOptional?: boolean;
  }
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const isProduction = ({ dev, optional, devOptional }: Locked) => !dev && !optional && !devOptional;
  const paths = Object.entries(packages).flatMap(([path, locked]) => (path && isProduction(locked) ? [path] : []));
  for (const path of paths) {
    const source = join(root, path);
    // Packages inside of this one have paths of their own.
    const filter = (file: string) => !relative(source, file).split('/').includes('node_modules');
    await cp(source, join(folder, path), { recursive: true, filter });
  }
}

/** The size of a folder's files, in bytes. */
export async function sizeOf(folder: string): Promise<number> {
  const sizes = await Promise.all((await filesOf(folder)).map(async (file) => (await stat(file)).size));
  return sizes.reduce((all, size) => all + size, 0);
}

/** The files in a folder, at any depth; of a file itself only that. */
async function filesOf(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}
