import { globSync } from 'node:fs';
import { posix } from 'node:path';
import { type Area, areas } from './areas.ts';
import { findCircles } from './find-circles.ts';
import { readImports } from './read-imports.ts';

const sources = '{cmd,internal,pkg}/**/*.{ts,tsx}';
const generated = ['**/node_modules/**', '**/dist/**', 'pkg/api/**'];
const tests = /\.test\.tsx?$|\.fixture\.ts$|-conformance\.ts$|\/testing\/|^internal\/tests\//;

interface FileImport {
  file: string;
  line: number;
  specifier: string;
  /** The imported file, from the root; absent for a package. */
  target: string | undefined;
}

/** Judges every import of the repository at `root` by the rules in areas.ts. Returns the faults, each as a line. */
export function checkImports(root: string): string[] {
  const files = globSync(sources, { cwd: root, exclude: generated }).map((file) => file.replaceAll('\\', '/'));
  const imports = files.sort().flatMap((file) =>
    readImports(posix.join(root, file)).map(({ specifier, line }): FileImport => {
      const target = specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : undefined;
      return { file, line, specifier, target };
    }),
  );
  return [...imports.flatMap(judgeImport), ...judgeCircles(imports)];
}

function judgeImport({ file, line, specifier, target }: FileImport): string[] {
  const from = areaOf(file);
  if (!from) return [`${file}: no area of areas.ts holds it`];
  const to = target === undefined ? undefined : areaOf(target);
  const isAllowed = target === undefined ? allowsPackage(from, specifier) : from === to || allowsArea(from, to);
  return isAllowed ? [] : [`${file}:${line}: ${from} may not import ${specifier}${to ? ` (${to})` : ''}`];
}

function allowsPackage(name: string, specifier: string): boolean {
  const packages = areas[name]?.packages;
  const bare = specifier.startsWith('node:')
    ? 'node'
    : specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  return packages === 'any' || (packages?.includes(bare) ?? false);
}

function allowsArea(name: string, to: string | undefined): boolean {
  const imports = areas[name]?.imports;
  return to !== undefined && (imports === 'any' || (imports?.includes(to) ?? false));
}

/** The name of the area with the longest path that leads to the file. */
function areaOf(file: string): string | undefined {
  if (tests.test(file)) return file.startsWith('pkg/') ? 'tests of packages' : 'tests';
  let best: { name: string; length: number } | undefined;
  for (const [name, { holds }] of Object.entries<Area>(areas))
    for (const path of holds)
      if (path.length > (best?.length ?? 0) && (file === path || file.startsWith(`${path}/`)))
        best = { name, length: path.length };
  return best?.name;
}

/** No file and no folder leads back to itself. Tests count for files only: theirs lie beside what they test. */
function judgeCircles(imports: readonly FileImport[]): string[] {
  const ofFiles = new Map<string, Set<string>>();
  const ofFolders = new Map<string, Set<string>>();
  for (const { file, target } of imports) {
    if (target === undefined) continue;
    link(ofFiles, file, target);
    const [from, to] = apart(file, target);
    if (from !== to && !tests.test(file) && !tests.test(target)) link(ofFolders, from, to);
  }
  return [
    ...findCircles(ofFiles).map((circle) => `circle of files: ${circle.join(' → ')}`),
    ...findCircles(ofFolders).map((circle) => `circle of folders: ${circle.join(' → ')}`),
  ];
}

/** Where the ways to two files part: the two folders beside each other, `a/b/.` being the files of a/b itself. */
function apart(file: string, other: string): [string, string] {
  const [a, b] = [posix.dirname(file).split('/'), posix.dirname(other).split('/')];
  let depth = 0;
  while (depth < a.length && a[depth] === b[depth]) depth += 1;
  const common = a.slice(0, depth).join('/');
  return [`${common}/${a[depth] ?? '.'}`, `${common}/${b[depth] ?? '.'}`];
}

function link(graph: Map<string, Set<string>>, from: string, to: string): void {
  graph.set(from, (graph.get(from) ?? new Set()).add(to));
}
