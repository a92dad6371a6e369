import type { Request, Response } from 'express';
import { Status as GrpcStatus } from 'nice-grpc-common';
import type { Logger } from 'pino';
import { Status } from '../../../../pkg/api/google/rpc/status.ts';
import { BadInput, type Transcoder } from '../../../../pkg/transcoder/transcoder.ts';
import { httpStatusOf, retryAfterSeconds } from '../../../converter/status.ts';
import { invalidFieldsError } from '../../../model/errors.ts';
import { CallFailure, toCallFailure } from '../calls/call-failure.ts';
import { answer, setMetadata } from './answer.ts';

interface Deps {
  transcoder: Transcoder;
  log: Logger;
}

/**
 * Answers a request with an error in grpc-gateway's form. An error that is neither CallFailure nor BadInput is logged and answered as INTERNAL.
 * Sends nothing if the answer has begun or the client has disconnected.
 */
export function sendFailure({ transcoder, log }: Deps, req: Request, res: Response, error: unknown): void {
  const failure = toFailure(error);
  if (failure === undefined) {
    log.error({ err: error, requestId: res.getHeader('x-request-id') }, 'a request failed');
  }
  const { code, message, details, metadata } =
    failure ?? new CallFailure(GrpcStatus.INTERNAL, `internal error (request id ${res.getHeader('x-request-id')})`);
  if (res.headersSent || res.destroyed) return;
  setMetadata(res, metadata);
  if (code === GrpcStatus.UNAUTHENTICATED) res.set('WWW-Authenticate', challenge(req, message));
  const retryAfter = details && retryAfterSeconds(Status.decode(details));
  if (retryAfter !== undefined) res.set('Retry-After', String(retryAfter));
  const status = failure instanceof HttpFailure ? failure.status : httpStatusOf(code);
  answer(req, res, status, transcoder.encodeStatus({ code, message, details }));
}

/** A failure with an HTTP status of its own, instead of the one that belongs to its code. */
export class HttpFailure extends CallFailure {
  readonly status: number;

  constructor(status: number, code: number, message: string) {
    super(code, message);
    this.status = status;
  }
}

function toFailure(error: unknown): CallFailure | undefined {
  if (error instanceof CallFailure) return error;
  if (error instanceof BadInput) return toCallFailure(invalidFieldsError(...error.violations));
  return undefined;
}

/** Makes the value of WWW-Authenticate. Source: RFC 6750, section 3 */
function challenge(req: Request, message: string): string {
  const realm = 'Bearer realm="chat"';
  return req.headers.authorization === undefined
    ? realm
    : `${realm}, error="invalid_token", error_description="${message.replace(/[^ !#-[\]-~]/g, ' ')}"`;
}
