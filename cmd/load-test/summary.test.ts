import { expect, test } from 'vitest';
import { readSummary } from './summary.ts';

const begin = `
Summary:
  Count:	200
  Total:	90.18 ms

Response time histogram:
  1.000 [1]   |

Status code distribution:
`;

test('a run in which every call succeeded has no failures', () => {
  expect(readSummary(`${begin}  [OK]   200 responses   \n`)).toEqual({ ok: 200, failed: {} });
});

test('calls that failed are counted by their status', () => {
  const summary = `${begin}  [OK]            197 responses   \n  [Unavailable]   2 responses   \n  [Canceled]   1 responses\n`;
  expect(readSummary(summary)).toEqual({ ok: 197, failed: { Unavailable: 2, Canceled: 1 } });
});

test('a run without calls is no success', () => {
  expect(() => readSummary(begin)).toThrow('no calls');
});
