import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reasons } from './errors.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

test('docs/errors.md explains every reason with its code, and no other', () => {
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| ([A-Z_]+) \| .+ \|$/gm)].map(([, reason, code]) => [reason, code]);
  expect(Object.fromEntries(rows)).toEqual(reasons);
});
