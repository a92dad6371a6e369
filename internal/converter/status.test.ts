import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Code } from '../../pkg/api/google/rpc/code.ts';
import { BadRequest, ErrorInfo, RetryInfo } from '../../pkg/api/google/rpc/error_details.ts';
import { Status } from '../../pkg/api/google/rpc/status.ts';
import { ChatError, type ErrorReason, reasons } from '../model/errors.ts';
import { grpcCodes, httpStatusOf, retryAfterSeconds, toStatus } from './status.ts';

const messages = { ErrorInfo, BadRequest, RetryInfo };

/** Unpacks the details as a client does. */
function details(error: ChatError) {
  const status = Status.decode(Status.encode(toStatus(error)).finish());
  const unpacked = status.details.map(({ typeUrl, value }) => {
    const name = typeUrl.replace('type.googleapis.com/google.rpc.', '') as keyof typeof messages;
    return [name, messages[name].decode(value)];
  });
  return { code: status.code, message: status.message, ...Object.fromEntries(unpacked) };
}

describe('the status of an error', () => {
  test.each(Object.keys(reasons) as ErrorReason[])(
    '%s has the number of its gRPC code and names the reason',
    (reason) => {
      expect(details(new ChatError(reason, 'what to do'))).toEqual({
        code: Code[reasons[reason]],
        message: 'what to do',
        ErrorInfo: { reason, domain: 'chat', metadata: {} },
      });
    },
  );

  test('names the fields at fault, 20 at most', () => {
    const violations = Array.from({ length: 30 }, (_, i) => ({ field: `member_ids[${i}]`, description: 'is bad' }));
    const { BadRequest } = details(new ChatError('INVALID_FIELDS', 'x', { violations }));
    expect(BadRequest.fieldViolations).toHaveLength(20);
    expect(BadRequest.fieldViolations[19]).toMatchObject({ field: 'member_ids[19]', description: 'is bad' });
  });

  test('gives the retry time as a valid duration', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (retryAfterMs) => {
        const { seconds, nanos } = details(new ChatError('RATE_LIMITED', 'x', { retryAfterMs })).RetryInfo.retryDelay;
        expect(Number.isInteger(seconds) && Number.isInteger(nanos)).toBe(true);
        expect(nanos).toBeGreaterThanOrEqual(0);
        expect(nanos).toBeLessThan(1e9);
        expect(Math.abs(seconds * 1_000 + nanos / 1e6 - retryAfterMs)).toBeLessThan(1.001);
      }),
    );
    expect(details(new ChatError('RATE_LIMITED', 'x', { retryAfterMs: 1_500 })).RetryInfo.retryDelay).toEqual({
      seconds: 1,
      nanos: 5e8,
    });
  });

  test('does not contain the cause', () => {
    const status = toStatus(new ChatError('STORAGE_UNAVAILABLE', 'away', { cause: new Error('password=secret') }));
    expect(Buffer.from(Status.encode(status).finish()).includes('secret')).toBe(false);
  });
});

test('every code is a gRPC code', () => {
  expect(Code).toMatchObject(grpcCodes);
});

test.each([
  [0, 200],
  [1, 499],
  [2, 500],
  [3, 400],
  [4, 504],
  [5, 404],
  [6, 409],
  [7, 403],
  [8, 429],
  [9, 400],
  [10, 409],
  [11, 400],
  [12, 501],
  [13, 500],
  [14, 503],
  [15, 500],
  [16, 401],
  [99, 500],
])('the code %d is the HTTP status %d, as in grpc-gateway', (code, status) => {
  expect(httpStatusOf(code)).toBe(status);
});

test('Retry-After is in whole seconds, and is set only if a retry helps', () => {
  const waiting = (retryAfterMs?: number) =>
    retryAfterSeconds(toStatus(new ChatError('RATE_LIMITED', '', retryAfterMs === undefined ? {} : { retryAfterMs })));
  expect([waiting(1), waiting(1_000), waiting(1_001), waiting(61_500)]).toEqual([1, 1, 2, 62]);
  expect(waiting()).toBeUndefined();
});
