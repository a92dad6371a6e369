import { readFileSync } from 'node:fs';
import { type ESTree, parseSync } from 'vite';

export interface Import {
  /** As the source says it: `./x.ts`, `node:fs`, `pg`. */
  specifier: string;
  /** From 1. */
  line: number;
}

/** Everything that a module of TypeScript imports or re-exports, types included. Throws an error that names the file if it does not parse. */
export function readImports(path: string): Import[] {
  const text = readFileSync(path, 'utf8');
  const { program, module, errors } = parseSync(path, text);
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`);
  const requests = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest),
    ...module.staticExports.flatMap(({ entries }) => entries.flatMap(({ moduleRequest }) => moduleRequest ?? [])),
    // `import('./x.ts')` as an expression or a type: only a look at the whole tree finds them.
    ...(text.includes('import(') ? findInnerImports(program) : []),
  ];
  return requests.map(({ value, start }) => ({ specifier: value, line: text.slice(0, start).split('\n').length }));
}

function findInnerImports(node: ESTree.Node | unknown): { value: string; start: number }[] {
  if (typeof node !== 'object' || node === null) return [];
  const { type, source } = node as { type?: string; source?: { value?: unknown; start: number } };
  const isImport = type === 'ImportExpression' || type === 'TSImportType';
  const found = isImport && typeof source?.value === 'string' ? [{ value: source.value, start: source.start }] : [];
  return [...found, ...Object.values(node).flatMap(findInnerImports)];
}
