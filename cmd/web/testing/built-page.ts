import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'vite';

const root = join(import.meta.dirname, '..');
const built = join(root, 'dist');

/** Builds the pages if that has not been done since its sources were changed; test files may do so at the same time. */
export async function builtPage(): Promise<void> {
  const builtAt = await changedAt(join(built, 'index.html'));
  const sources = [join(root, 'src'), join(root, 'console'), join(root, 'build'), join(root, '../../pkg')].map(
    newestIn,
  );
  const files = ['index.html', 'vite.config.ts'].map((name) => changedAt(join(root, name)));
  if (builtAt > Math.max(...(await Promise.all([...sources, ...files])))) return;
  const outDir = join(root, `dist/building-${process.pid}`);
  await build({ configFile: join(root, 'vite.config.ts'), logLevel: 'error', build: { outDir, emptyOutDir: true } });
  await mkdir(join(built, 'assets'), { recursive: true });
  for (const name of await readdir(join(outDir, 'assets'))) await move(outDir, join('assets', name));
  await mkdir(join(built, 'console'), { recursive: true });
  // Last: they name the others.
  await move(outDir, 'console/index.html');
  await move(outDir, 'index.html');
  await rm(outDir, { recursive: true, force: true });
}

async function move(from: string, name: string): Promise<void> {
  await rename(join(from, name), join(built, name));
}

async function newestIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !/\.test\.ts$/.test(entry.name));
  return Math.max(...(await Promise.all(files.map(({ parentPath, name }) => changedAt(join(parentPath, name))))));
}

/** 0 if there is no such file. */
async function changedAt(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}
