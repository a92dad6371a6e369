import { isAbortError } from 'abort-controller-x';
import { ServerError } from 'nice-grpc-common';
import type { Logger } from 'pino';
import { Status } from '../../pkg/api/google/rpc/status.ts';
import { type Metrics, noMetrics } from '../client/metrics/metrics.ts';
import { refusalCounter } from '../client/metrics/shared-instruments.ts';
import { toStatus } from '../converter/status.ts';
import { ChatError } from '../model/errors.ts';
import type { LightAbortSignal } from '../model/light-abort.ts';
import type { Call, Step } from './call.ts';

/**
 * Converts errors of calls to wire form, with details in a trailer. An error that is not a ChatError is logged and answered as INTERNAL with the
 * trace id. Refusals are counted by reason. Sessions do the same for the commands of streams.
 */
export function errors(log: Logger, metrics: Metrics = noMetrics): Step {
  const refusals = refusalCounter(metrics);
  const end = (call: Call, error: unknown) => {
    if (error === undefined || error instanceof ServerError) return error;
    const known = toChatError(error, call.signal);
    if (!known) log.error({ err: error, method: call.method, traceId: call.traceId }, 'a call failed');
    const refusal = known ?? new ChatError('INTERNAL', `internal error (trace id ${call.traceId})`);
    refusals.add(1, { reason: refusal.reason });
    const status = toStatus(refusal);
    call.setTrailer('grpc-status-details-bin', Status.encode(status).finish());
    return new ServerError(status.code, status.message);
  };
  return { end };
}

function toChatError(error: unknown, signal: LightAbortSignal): ChatError | undefined {
  if (error instanceof ChatError) return error;
  if (signal.aborted && isAbortError(error)) return new ChatError('CLIENT_GONE', 'the call was cancelled');
  return undefined;
}
