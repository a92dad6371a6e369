import { createChannel, createClient } from 'nice-grpc';
import { HealthDefinition } from 'nice-grpc-server-health';

const statuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** Returns the status that grpc.health.v1 reports for a server, or for one of its services. Sends no token. */
export async function healthOf(address: string, service = ''): Promise<string | undefined> {
  const channel = createChannel(address, undefined, { 'grpc.use_local_subchannel_pool': 1 });
  try {
    const { status } = await createClient(HealthDefinition, channel).check({ service });
    return statuses[status];
  } finally {
    channel.close();
  }
}
