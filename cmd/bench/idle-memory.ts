import type { JoinRoomResponse } from '../../pkg/api/chat/v1/chat.ts';
import { RawClient, toFrame } from './raw-client.ts';
import { startService } from './service-process.ts';

/** Memory of the service for each stream that is open and subscribed but idle, in bytes; a hundred streams to a connection. */
export async function measureIdleMemory(dsn: string, streams: number): Promise<number> {
  const service = await startService(dsn);
  const clients: RawClient[] = [];
  try {
    const open = async (count: number) => {
      let welcomed = 0;
      for (let i = 0; i < count; i += 1) {
        if (i % 100 === 0) {
          clients.push(new RawClient(service.address));
          await clients.at(-1)!.signIn('idle');
        }
        const stream = clients.at(-1)!.connect();
        stream.on('error', () => {});
        stream.once('data', () => {
          welcomed += 1;
        });
        stream.write(
          toFrame([{ commandId: '', command: { $case: 'subscribeAll', value: { cursors: {}, others: 0 } } }]),
        );
      }
      while (welcomed < count) await new Promise((resolve) => setTimeout(resolve, 20));
      // Time for what was allocated on the way to be collected.
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      return service.rssBytes();
    };
    const first = new RawClient(service.address);
    clients.push(first);
    await first.signIn('idle');
    await first.call<JoinRoomResponse>('joinRoom', { name: 'idle' });
    const before = await open(200);
    return ((await open(streams)) - before) / streams;
  } finally {
    for (const client of clients) client.close();
    await service.stop();
  }
}
