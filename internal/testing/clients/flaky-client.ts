import { onTestFinished } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { ChatClient, guest } from '../../../pkg/chat-client/index.ts';
import { FlakyLink } from '../faults/flaky-link.ts';
import { uniqueName } from './person.ts';

/** A connected client whose connection goes over a link of its own; closed when the test is over. */
export async function flakyClient(address: string, name: string): Promise<{ client: ChatClient; link: FlakyLink }> {
  const link = await FlakyLink.to(address);
  const transport = grpcTransport(link.address, { channelOptions: { 'grpc.use_local_subchannel_pool': 1 } });
  const client = new ChatClient({ transport, token: guest(uniqueName(name)) });
  onTestFinished(async () => {
    await client.close();
    await link.close();
  });
  await client.connect();
  return { client, link };
}
