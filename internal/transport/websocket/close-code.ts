import { Status as GrpcStatus } from 'nice-grpc-common';
import { ErrorInfo } from '../../../pkg/api/google/rpc/error_details.ts';
import { Status } from '../../../pkg/api/google/rpc/status.ts';
import { httpStatusOf } from '../../converter/status.ts';
import type { CallFailure } from '../shared/calls/call-failure.ts';

/** How a socket is closed. Source of the codes below 4000: RFC 6455, section 7.4.1, and IANA's registry. */
export interface Close {
  code: number;
  /** The error's stable reason. */
  reason: string;
}

export const closes = {
  normal: { code: 1000, reason: '' },
  wrongKind: { code: 1003, reason: 'MALFORMED_FRAME' },
  internal: { code: 1011, reason: 'INTERNAL' },
  draining: { code: 1012, reason: 'DRAINING' },
} as const satisfies Record<string, Close>;

/** 1012 if the service is being stopped, 1011 if it is at fault, else 4000 and the HTTP status of the error. */
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
