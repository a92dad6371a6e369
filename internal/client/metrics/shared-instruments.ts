import type { Counter, Labels, Metrics } from './metrics.ts';

type MethodLabel = 'grpc_type' | 'grpc_service' | 'grpc_method';

/** The labels by which gRPC libraries name a method. */
export type MethodLabels = Labels<MethodLabel>;

export const methodLabels: readonly MethodLabel[] = ['grpc_type', 'grpc_service', 'grpc_method'];

/** The labels of ConnectChat, by any transport. */
export const streamLabels: MethodLabels = {
  grpc_type: 'bidi_stream',
  grpc_service: 'chat.v1.ChatService',
  grpc_method: 'ConnectChat',
};

/** Counts what was received and sent: requests and answers of unary calls, frames of streams. */
export function messageCounters(metrics: Metrics): Record<'received' | 'sent', Counter<MethodLabel>> {
  return {
    received: metrics.counter({
      name: 'grpc_server_msg_received_total',
      help: 'Requests of unary calls, and frames of commands in streams.',
      labels: methodLabels,
    }),
    sent: metrics.counter({
      name: 'grpc_server_msg_sent_total',
      help: 'Answers to unary calls, and frames of events in streams.',
      labels: methodLabels,
    }),
  };
}

/** Counts refused calls and commands by the reason that their clients get. */
export function refusalCounter(metrics: Metrics): Counter<'reason'> {
  return metrics.counter({
    name: 'chat_refusals_total',
    help: 'Calls, streams and commands of streams that were refused or failed, by reason.',
    labels: ['reason'],
  });
}
