import { BadInput } from '../../../../pkg/transcoder/transcoder.ts';
import { grpcCodes, httpStatusOf } from '../../../converter/status.ts';
import { ChatError } from '../../../model/errors.ts';
import { CallFailure } from '../../shared/calls/call-failure.ts';
import { invalidFields, Refusal } from '../refusal.ts';

/** Converts an error of the service to a refusal with its HTTP status. Other errors stay as they are. */
export function toRefusal(error: unknown): unknown {
  if (error instanceof ChatError) {
    return new Refusal(httpStatusOf(grpcCodes[error.code]), error.message, error.violations);
  }
  if (error instanceof BadInput) return invalidFields(error.violations);
  return error instanceof CallFailure ? new Refusal(httpStatusOf(error.code), error.message) : error;
}

/** Runs the work, and throws refusals in place of the service's errors. */
export async function withRefusals<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw toRefusal(error);
  }
}
