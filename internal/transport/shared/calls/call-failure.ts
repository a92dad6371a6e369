import { Status } from '../../../../pkg/api/google/rpc/status.ts';
import { toStatus } from '../../../converter/status.ts';
import type { ChatError } from '../../../model/errors.ts';

/** A failed call in gRPC's terms: code, message and status details. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  /** gRPC's number. */
  readonly code: number;
  /** The encoded google.rpc.Status, if there is one. */
  readonly details: Uint8Array | undefined;
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

/** The failure that carries the error's code, reason and field violations. */
export function toCallFailure(error: ChatError): CallFailure {
  const status = toStatus(error);
  return new CallFailure(status.code, status.message, { details: Status.encode(status).finish() });
}
