import { Status as GrpcStatus } from 'nice-grpc-common';
import { expect, test } from 'vitest';
import { grpcCodes, httpStatusOf } from '../../converter/status.ts';
import { ChatError, type ErrorReason, reasons } from '../../model/errors.ts';
import { CallFailure, toCallFailure } from '../shared/calls/call-failure.ts';
import { closeOf } from './close-code.ts';

const every = Object.keys(reasons) as ErrorReason[];

test.each(every)('%s closes with a code that clients can tell apart, and with its reason', (reason) => {
  const { code, reason: told } = closeOf(toCallFailure(new ChatError(reason, 'a message')));
  expect(told).toBe(reason);
  if (reason === 'DRAINING') expect(code).toBe(1012);
  else if (reason === 'INTERNAL') expect(code).toBe(1011);
  else expect(code).toBe(4_000 + httpStatusOf(grpcCodes[reasons[reason]]));
  // Source: RFC 6455, section 7.4: below 1000 is nothing, 4000 to 4999 is the application's; a reason has at most 123 bytes.
  expect((code >= 1_011 && code <= 1_012) || (code >= 4_400 && code <= 4_599)).toBe(true);
  expect(Buffer.byteLength(told)).toBeLessThanOrEqual(123);
});

test('the codes that the documentation names', () => {
  const codeOf = (reason: ErrorReason) => closeOf(toCallFailure(new ChatError(reason, ''))).code;
  expect(codeOf('MALFORMED_FRAME')).toBe(4400);
  for (const reason of ['TOKEN_MISSING', 'TOKEN_INVALID', 'TOKEN_EXPIRED', 'SESSION_REVOKED'] as const)
    expect(codeOf(reason)).toBe(4401);
  for (const reason of ['BANNED', 'METHOD_NOT_ALLOWED'] as const) expect(codeOf(reason)).toBe(4403);
  for (const reason of ['RATE_LIMITED', 'FRAME_LIMIT'] as const) expect(codeOf(reason)).toBe(4429);
  expect(codeOf('STORAGE_UNAVAILABLE')).toBe(4503);
});

test('an unknown failure closes the socket with 1011', () => {
  for (const code of [GrpcStatus.INTERNAL, GrpcStatus.UNKNOWN]) {
    expect(closeOf(new CallFailure(code, 'secret'))).toEqual({ code: 1011, reason: 'INTERNAL' });
  }
  // A failure without details, as a proxy between gateway and service produces it.
  expect(closeOf(new CallFailure(GrpcStatus.UNAVAILABLE, 'no connection'))).toEqual({ code: 4503, reason: '' });
});
