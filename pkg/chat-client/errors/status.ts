import { BadRequest, ErrorInfo, RetryInfo } from '../../api/google/rpc/error_details.ts';
import type { Status } from '../../api/google/rpc/status.ts';
import { ChatClientError } from './chat-error.ts';

const codes = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** Creates an error from a google.rpc.Status and its details. */
export function errorFromStatus({ code, message, details }: Status, cause?: unknown): ChatClientError {
  let reason: string | undefined;
  let violations: { field: string; description: string }[] | undefined;
  let retryAfterMs: number | undefined;
  for (const { typeUrl, value } of details) {
    switch (typeUrl.slice(typeUrl.lastIndexOf('/') + 1)) {
      case 'google.rpc.ErrorInfo':
        reason = ErrorInfo.decode(value).reason;
        break;
      case 'google.rpc.BadRequest':
        violations = BadRequest.decode(value).fieldViolations;
        break;
      case 'google.rpc.RetryInfo': {
        const { seconds = 0, nanos = 0 } = RetryInfo.decode(value).retryDelay ?? {};
        retryAfterMs = seconds * 1_000 + nanos / 1e6;
        break;
      }
    }
  }
  return new ChatClientError(message, { code: codes[code] ?? 'UNKNOWN', reason, violations, retryAfterMs, cause });
}
