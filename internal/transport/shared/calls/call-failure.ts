import { Status } from '../../../../pkg/api/google/rpc/status.ts';
import { toStatus } from '../../../converter/status.ts';
import type { ChatError } from '../../../model/errors.ts';

/** A failed call in gRPC's terms: status code, message and details. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  /** The number of the gRPC status code. */
  readonly code: number;
  /** The encoded google.rpc.Status, if there is one. */
  readonly details: Uint8Array | undefined;
  /** Response metadata, by lower-case name. */
  readonly metadata: ReadonlyMap<string, string>;

  constructor(
    code: number,
    message: string,
    { details, metadata = new Map() }: { details?: Uint8Array; metadata?: ReadonlyMap<string, string> } = {},
  ) {
    super(message);
    this.code = code;
    this.details = details;
    this.metadata = metadata;
  }
}

/** Converts a ChatError. The failure carries its code, reason and field violations. */
export function toCallFailure(error: ChatError): CallFailure {
  const status = toStatus(error);
  return new CallFailure(status.code, status.message, { details: Status.encode(status).finish() });
}
