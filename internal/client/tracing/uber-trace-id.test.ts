import { describe, expect, test } from 'vitest';
import { toTraceparent, toUberTraceId } from './uber-trace-id.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

describe("Jaeger's header as W3C's", () => {
  test.each([
    [`${traceId}:${spanId}:0:1`, `00-${traceId}-${spanId}-01`],
    [`${traceId}%3A${spanId}%3a0%3a0`, `00-${traceId}-${spanId}-00`],
    ['A:b:0:3', `00-${'a'.padStart(32, '0')}-${'b'.padStart(16, '0')}-01`],
  ])('%s', (given, expected) => expect(toTraceparent(given)).toBe(expected));

  test.each([
    undefined,
    '',
    'nonsense',
    '0:1:0:1',
    '1:0:0:1',
    '1:1:0',
    '1:1:0:100',
    `1${traceId}:1:0:1`,
    '1zz:1:0:1',
    '%zz:1:0:1',
  ])('a malformed header is none: %s', (given) => expect(toTraceparent(given)).toBeUndefined());
});

describe("W3C's header as Jaeger's", () => {
  test.each([
    [`00-${traceId}-${spanId}-01`, `${traceId}:${spanId}:0:1`],
    [`00-${traceId}-${spanId}-02`, `${traceId}:${spanId}:0:0`],
    [`01-${traceId}-${spanId}-01-more`, `${traceId}:${spanId}:0:1`],
  ])('%s', (given, expected) => expect(toUberTraceId(given)).toBe(expected));

  test.each([
    undefined,
    '',
    traceId,
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
  ])('a malformed header is none: %s', (given) => expect(toUberTraceId(given)).toBeUndefined());
});
