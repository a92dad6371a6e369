import { expect, test } from 'vitest';
import { closeError } from './close-error.ts';

test.for([
  [4400, 'INVALID_FIELDS', 'INVALID_ARGUMENT'],
  [4401, 'TOKEN_EXPIRED', 'UNAUTHENTICATED'],
  [4403, 'BANNED', 'PERMISSION_DENIED'],
  [4429, 'FRAME_LIMIT', 'RESOURCE_EXHAUSTED'],
  [4503, 'STORAGE_UNAVAILABLE', 'UNAVAILABLE'],
  [1012, 'DRAINING', 'UNAVAILABLE'],
  [1011, 'INTERNAL', 'INTERNAL'],
  [1003, 'MALFORMED_FRAME', 'INVALID_ARGUMENT'],
] as const)('a socket closed with %d %s is %s', ([closeCode, reason, code]) => {
  expect(closeError(closeCode, reason)).toMatchObject({ code, reason });
});

test('a socket that ended well is no error', () => {
  expect(closeError(1000, '')).toBeUndefined();
});

test('a connection that broke is worth another attempt', () => {
  expect(closeError(1006, '')).toMatchObject({ code: 'UNAVAILABLE', reason: '', temporary: true });
});

test('words of a proxy are no reason', () => {
  expect(closeError(1001, 'Going away')).toMatchObject({ code: 'UNAVAILABLE', reason: '' });
});
