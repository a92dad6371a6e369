import { onTestFinished } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';

/** A gRPC transport over a connection of its own, closed when the test is over. */
export function transportTo(address: string): Transport {
  const transport = grpcTransport(address, { channelOptions: { 'grpc.use_local_subchannel_pool': 1 } });
  onTestFinished(() => transport.close());
  return transport;
}
