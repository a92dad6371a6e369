import { ServerError, Status } from 'nice-grpc-common';
import { type Metrics, secondsBuckets } from '../client/metrics/metrics.ts';
import { type MethodLabels, messageCounters, methodLabels } from '../client/metrics/shared-instruments.ts';
import type { Call, Step } from './call.ts';

/** Counts calls and streams by the names that gRPC libraries share, so that dashboards made for those work. REST calls are among them. */
export function counting(metrics: Metrics): Step {
  const { received, sent } = messageCounters(metrics);
  const started = metrics.counter({
    name: 'grpc_server_started_total',
    help: 'Calls and streams that have begun.',
    labels: methodLabels,
  });
  const handled = metrics.counter({
    name: 'grpc_server_handled_total',
    help: 'Calls and streams that have ended, by status code.',
    labels: [...methodLabels, 'grpc_code'],
  });
  const seconds = metrics.histogram({
    name: 'grpc_server_handling_seconds',
    help: 'How long unary calls took, in seconds.',
    labels: methodLabels,
    buckets: secondsBuckets,
  });
  return {
    begin(call) {
      const own = labelsOf(call);
      started.add(1, own);
      if (call.kind === 'unary') received.add(1, own);
    },
    end(call, error) {
      const own = labelsOf(call);
      handled.add(1, { ...own, grpc_code: codeOf(call, error) });
      if (call.kind === 'unary') {
        seconds.observe((performance.now() - (call.begun ?? 0)) / 1_000, own, call.span && call.traceId);
        if (error === undefined) sent.add(1, own);
      }
      return error;
    },
  };
}

/** Only methods that exist reach the interceptors: the values are those of the contract. */
function labelsOf(call: Call): MethodLabels {
  const { kind, method } = call;
  return {
    grpc_type: kind === 'unary' ? 'unary' : 'bidi_stream',
    grpc_service: serviceOf(call),
    grpc_method: method,
  };
}

/** `chat.v1.ChatService` */
export function serviceOf({ path, method }: Call): string {
  return path.slice(1, -method.length - 1);
}

/** The code with which a call has ended, as its client sees it. */
export function codeOf({ signal }: Call, error: unknown): keyof typeof Status {
  // A stream whose client disconnects ends without an error.
  if (error === undefined) return signal.aborted ? 'CANCELLED' : 'OK';
  return error instanceof ServerError ? (Status[error.code] as keyof typeof Status) : 'UNKNOWN';
}
