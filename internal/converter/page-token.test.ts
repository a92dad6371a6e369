import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromPageToken, isString, toPageToken } from './page-token.ts';

const isPair = (key: unknown): key is { a: string; b: number } =>
  typeof key === 'object' && key !== null && typeof (key as { a: unknown }).a === 'string';

describe('a page token', () => {
  test('decodes to the key from which it was made, whatever the key contains', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((key) => !key.includes('\0')),
        (key) => {
          expect(fromPageToken(toPageToken(key), isString)).toBe(key);
        },
      ),
    );
    expect(fromPageToken(toPageToken({ a: 'x', b: 1 }), isPair)).toEqual({ a: 'x', b: 1 });
  });

  test('needs no escaping in a URL', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (key) => {
        expect(toPageToken(key)).toMatch(/^[\w-]*$/);
      }),
    );
  });

  test('is empty before the first page and after the last', () => {
    expect(toPageToken(undefined)).toBe('');
    expect(fromPageToken('', isString)).toBeUndefined();
  });

  test.each([
    'x',
    'not base64 !',
    'bnVsbA',
    'MQ',
    'W10',
    toPageToken('a\0b'),
    toPageToken({ a: 'x' }),
    toPageToken(null),
  ])('that the method has not returned is refused: %s', (token) => {
    expect(() => fromPageToken(token, isString)).toThrow(
      expect.objectContaining({
        reason: 'INVALID_FIELDS',
        violations: [expect.objectContaining({ field: 'page_token' })],
      }),
    );
  });

  test('of random text is refused or decodes to a key, with no other error', () => {
    fc.assert(
      fc.property(fc.string(), (token) => {
        try {
          const key = fromPageToken(token, isString);
          expect(key === undefined || typeof key === 'string').toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ reason: 'INVALID_FIELDS' });
        }
      }),
    );
  });
});
