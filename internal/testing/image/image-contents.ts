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
  const [context, dockerfile] = await Promise.all([buildContext(), readFile(join(root, 'Dockerfile'), 'utf8')]);
  const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  const copied = [...lastStage.matchAll(/^COPY (?!--from)(\S+) /gm)].map(([, path = '']) => path);
  return context.filter((file) => copied.some((path) => file === path || file.startsWith(`${path}/`)));
}

/** The files that Docker is given. */
async function buildContext(): Promise<string[]> {
  const files: string[] = [];
  const collect = async (folder: string) => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.name === 'node_modules' || entry.name === '.git') continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await collect(path);
      else files.push(relative(root, path));
    }
  };
  await collect(root);
  return dockerignore()
    .add(await readFile(join(root, '.dockerignore'), 'utf8'))
    .filter(files);
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
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size));
  return sizes.reduce((all, size) => all + size, 0);
}
