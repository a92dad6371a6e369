import { Status as GrpcStatus } from 'nice-grpc-common';
import { ErrorInfo } from '../../../pkg/api/google/rpc/error_details.ts';
import { Status } from '../../../pkg/api/google/rpc/status.ts';
import { httpStatusOf } from '../../converter/status.ts';
import type { CallFailure } from '../shared/calls/call-failure.ts';

/** Code and reason of a WebSocket close frame. Source of the codes below 4000: RFC 6455, section 7.4.1, and IANA's registry. */
export interface Close {
  code: number;
  /** The ErrorInfo reason; empty if there is no error. */
  reason: string;
}

export const closes = {
  normal: { code: 1000, reason: '' },
  wrongKind: { code: 1003, reason: 'MALFORMED_FRAME' },
  internal: { code: 1011, reason: 'INTERNAL' },
  draining: { code: 1012, reason: 'DRAINING' },
} as const satisfies Record<string, Close>;

/** Returns how to close a socket after a failure: 1012 for DRAINING, 1011 for INTERNAL and UNKNOWN, else 4000 + the HTTP status. */
export function closeOf({ code, details }: CallFailure): Close {
  const reason = details ? reasonOf(Status.decode(details)) : '';
  if (reason === 'DRAINING') return closes.draining;
  if (code === GrpcStatus.INTERNAL || code === GrpcStatus.UNKNOWN) return closes.internal;
  return { code: 4_000 + httpStatusOf(code), reason };
}

function reasonOf({ details }: Status): string {
  const packed = details.find(({ typeUrl }) => typeUrl.endsWith('/google.rpc.ErrorInfo'));
  return packed ? ErrorInfo.decode(packed.value).reason : '';
}
