import type { Any } from '../../pkg/api/google/protobuf/any.ts';
import { BadRequest, ErrorInfo, RetryInfo } from '../../pkg/api/google/rpc/error_details.ts';
import type { Status } from '../../pkg/api/google/rpc/status.ts';
import type { ChatError, ErrorCode } from '../model/errors.ts';

/** The numbers of gRPC's status codes. Source: https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
export const grpcCodes: Record<ErrorCode, number> = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
};

/** The domain of every ErrorInfo. */
export const errorDomain = 'chat';

/** The most field violations in a status: gRPC trailers are limited in size. */
const maxViolations = 20;

/** Converts an error to the status that clients get: code, message, reason, fields at fault and retry time, but never the cause. */
export function toStatus(error: ChatError): Status {
  const { code, reason, message, violations, retryAfterMs } = error;
  const details = [pack('google.rpc.ErrorInfo', ErrorInfo.encode({ reason, domain: errorDomain, metadata: {} }))];
  if (violations.length > 0) {
    const fieldViolations = violations.slice(0, maxViolations).map(({ field, description }) => ({
      field,
      description,
      reason: '',
      localizedMessage: undefined,
    }));
    details.push(pack('google.rpc.BadRequest', BadRequest.encode({ fieldViolations })));
  }
  if (retryAfterMs !== undefined) {
    const waitMs = Math.ceil(retryAfterMs);
    const retryDelay = { seconds: Math.floor(waitMs / 1_000), nanos: (waitMs % 1_000) * 1e6 };
    details.push(pack('google.rpc.RetryInfo', RetryInfo.encode({ retryDelay })));
  }
  return { code: grpcCodes[code], message, details };
}

function pack(typeName: string, encoded: { finish(): Uint8Array }): Any {
  return { typeUrl: `type.googleapis.com/${typeName}`, value: encoded.finish() };
}

/** The HTTP status of each gRPC code. Source: grpc-gateway, runtime/errors.go */
const httpStatuses: Readonly<Record<number, number>> = {
  0: 200,
  1: 499,
  2: 500,
  3: 400,
  4: 504,
  5: 404,
  6: 409,
  7: 403,
  8: 429,
  9: 400,
  10: 409,
  11: 400,
  12: 501,
  13: 500,
  14: 503,
  15: 500,
  16: 401,
};

/** Returns the HTTP status of a gRPC code; 500 for an unknown code. */
export function httpStatusOf(grpcCode: number): number {
  return httpStatuses[grpcCode] ?? 500;
}

/** Returns the value of Retry-After in whole seconds, rounded up; undefined if a retry does not help. */
export function retryAfterSeconds({ details }: Status): number | undefined {
  const packed = details.find(({ typeUrl }) => typeUrl.endsWith('/google.rpc.RetryInfo'));
  const delay = packed && RetryInfo.decode(packed.value).retryDelay;
  return delay && Math.ceil(delay.seconds + delay.nanos / 1e9);
}
