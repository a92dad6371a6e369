import { type Counter, type Metrics, noMetrics } from '../../client/metrics/metrics.ts';
import { messageCounters, refusalCounter, streamLabels } from '../../client/metrics/shared-instruments.ts';

/** What the sessions of a process count together. */
export interface SessionCounters {
  /** Frames of commands that were read. */
  received: Counter<never>;
  /** Frames of events that were written. */
  sent: Counter<never>;
  /** Commands that were answered, with OK or the code of the refusal. */
  commands: Counter<'operation' | 'grpc_code'>;
  refusals: Counter<'reason'>;
}

export function sessionCounters(metrics: Metrics = noMetrics): SessionCounters {
  const { received, sent } = messageCounters(metrics);
  return {
    received: received.of(streamLabels),
    sent: sent.of(streamLabels),
    commands: metrics.counter({
      name: 'chat_commands_total',
      help: 'Commands of streams that were answered.',
      labels: ['operation', 'grpc_code'],
    }),
    refusals: refusalCounter(metrics),
  };
}
