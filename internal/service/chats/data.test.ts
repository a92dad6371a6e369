import { describe, expect, test } from 'vitest';
import { maxDataBytes, maxDataDepth, toMessageData, toStoredData } from './data.ts';

/** An object of objects, and of one list as the innermost level. */
function nested(levels: number): Record<string, unknown> {
  let value: unknown = [];
  for (let level = 1; level < levels; level += 1) value = { a: value };
  return value as Record<string, unknown>;
}

describe('the data of a chat or message', () => {
  test.each([
    [{}, {}],
    [{ a: [null, true, 'ü"\\', 1.5, { b: [] }] }, { a: [null, true, 'ü"\\', 1.5, { b: [] }] }],
    [{ zero: -0 }, { zero: 0 }],
    [{ unset: undefined }, {}],
  ])('is stored as it will be read: %o', (data, stored) => {
    expect(toStoredData(data)).toStrictEqual(stored);
  });

  test('may have 5 KiB of UTF-8 as JSON, and not a byte more', () => {
    const withBytes = (bytes: number) => ({ a: `${'é'.repeat((bytes - 10) / 2)}xx` });
    expect(Buffer.byteLength(JSON.stringify(withBytes(maxDataBytes)))).toBe(maxDataBytes);
    expect(toStoredData(withBytes(maxDataBytes))).toEqual(withBytes(maxDataBytes));
    expect(() => toStoredData({ ...withBytes(maxDataBytes - 10), b: '1234' })).toThrow(
      'data must be at most 5120 bytes',
    );
  });

  test('counts the digits that a number has without an exponent', () => {
    expect(toStoredData({ a: Array(15).fill(1e300) })).toEqual({ a: Array(15).fill(1e300) });
    expect(() => toStoredData({ a: Array(18).fill(1e300) })).toThrow('data must be at most');
    expect(() => toStoredData({ a: Array(18).fill(1e-300) })).toThrow('data must be at most');
  });

  test('is nested at most 16 levels, also when a client sends far more', () => {
    expect(toStoredData(nested(maxDataDepth))).toEqual(nested(maxDataDepth));
    for (const levels of [maxDataDepth + 1, 5_000]) {
      expect(() => toStoredData(nested(levels))).toThrow('data must not be nested more than 16 levels');
    }
  });

  test.each([{ 'NUL \0': 1 }, { a: ['NUL \0'] }, { a: '\ud800' }, { '\udc00': 1 }, { a: Number.NaN }, { a: -1 / 0 }])(
    'has nothing that the database or JSON cannot hold: %o',
    (data) => {
      expect(() => toStoredData(data)).toThrow(expect.objectContaining({ reason: 'INVALID_FIELDS' }));
    },
  );
});

test('a new message without a key in its data has none', () => {
  expect(toMessageData({})).toBeUndefined();
  expect(toMessageData({ unset: undefined })).toBeUndefined();
  expect(toMessageData({ a: -0 })).toEqual({ a: 0 });
});
