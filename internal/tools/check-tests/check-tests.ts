import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What makes a test depend on the speed of the machine or on chance, and what to do instead. */
const forbidden: readonly { pattern: RegExp; advice: string }[] = [
  {
    pattern: /expect\((?:Date|performance)\.now\(\) - [\w.!]+\)\s*\.toBeLess/,
    advice: 'a busy machine breaks a limit of time: show an order of events, or use virtual time or fastestOf()',
  },
  {
    pattern: /new Promise(?:<\w+>)?\(\(\w+\) => setTimeout\(\w+, [\d_]+\)\)|await (?:delay|sleep)\([\d_]+\)/,
    advice: 'a fixed sleep is too short or too long: wait for a condition with eventually(), or use turns()',
  },
  {
    pattern: /Math\.random\(\)/,
    advice: 'a choice that cannot be repeated: use testRandom(), which takes SEED',
  },
  {
    pattern: /\bretry: *\d/,
    advice: 'a test that fails is not tried again',
  },
];

/** The faults of all test files below the root, one line for each. */
export function checkTests(root: string): string[] {
  const paths = globSync('{cmd,internal,pkg}/**/*.test.ts', { cwd: root }).sort();
  return paths.flatMap((path) => faultsOf(path, readFileSync(join(root, path), 'utf8')));
}

function faultsOf(path: string, source: string): string[] {
  const lines = source.split('\n');
  const faults = lines.flatMap((line, i) =>
    forbidden.filter(({ pattern }) => pattern.test(line)).map(({ advice }) => `${path}:${i + 1}: ${advice}`),
  );
  if (path.endsWith('.slow.test.ts') && !lines.some((line) => line.startsWith('// Slow: '))) {
    faults.push(`${path}:1: a slow test says why, in a line that begins with // Slow:`);
  }
  return faults;
}
