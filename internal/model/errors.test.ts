import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reasons } from './errors.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

test('the README explains every reason with its code, and no other', () => {
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \| ([A-Z_]+) \| .+ \|$/gm)].map(([, reason, code]) => [
    reason,
    code,
  ]);
  expect(Object.fromEntries(rows)).toEqual(reasons);
});
