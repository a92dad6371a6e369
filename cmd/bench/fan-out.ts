import { randomUUID } from 'node:crypto';
import type { Command, JoinRoomResponse } from '../../pkg/api/chat/v1/chat.ts';
import { countFrame, RawClient, toFrame } from './raw-client.ts';
import { startService } from './service-process.ts';

export interface FanOutResult {
  deliveriesPerSecond: number;
  /** Processor time of the service for each delivery, in microseconds. */
  serviceMicros: number;
  messagesPerFrame: number;
}

/** Deliveries a second into one chat with so many readers, sent to as fast as they all receive. */
export async function measureFanOut(
  dsn: string,
  { readers, burst, durationMs }: { readers: number; burst: number; durationMs: number },
): Promise<FanOutResult> {
  const service = await startService(dsn);
  const clients: RawClient[] = [];
  try {
    const writer = new RawClient(service.address);
    clients.push(writer);
    await writer.signIn('fan-out');
    const { chat } = await writer.call<JoinRoomResponse>('joinRoom', { name: 'fan-out' });
    const chatId = chat!.id;
    let deliveries = 0;
    let frames = 0;
    let live = 0;
    let arrived: () => void = () => {};
    for (let i = 0; i < readers; i += 1) {
      if (i % 50 === 0) {
        const client = new RawClient(service.address);
        clients.push(client);
        await client.signIn('fan-out');
      }
      const stream = clients.at(-1)!.connect();
      stream.on('error', () => {});
      stream.on('data', (frame: Buffer) => {
        const { messages, caughtUp } = countFrame(frame);
        live += caughtUp;
        deliveries += messages;
        frames += messages > 0 ? 1 : 0;
        arrived();
      });
      stream.write(toFrame([{ commandId: '', command: { $case: 'subscribe', value: { chatId } } }]));
    }
    while (live < readers) await new Promise((resolve) => setTimeout(resolve, 10));
    const stream = writer.connect();
    stream.on('error', () => {});
    stream.on('data', () => {});
    let sent = 0;
    const sendBurst = async () => {
      const commands = Array.from({ length: burst }, (): Command => {
        const value = { chatId, clientMessageId: randomUUID(), text: 'To everyone in the room: hello!' };
        return { commandId: '', command: { $case: 'sendMessage', value } };
      });
      stream.write(toFrame(commands));
      sent += burst;
      await new Promise<void>((resolve) => {
        arrived = () => deliveries >= sent * readers && resolve();
      });
    };
    for (let i = 0; i < 20; i += 1) await sendBurst();
    const before = { at: performance.now(), cpu: service.cpuMicros(), deliveries, frames };
    while (performance.now() - before.at < durationMs) await sendBurst();
    const counted = deliveries - before.deliveries;
    return {
      deliveriesPerSecond: counted / ((performance.now() - before.at) / 1_000),
      serviceMicros: (service.cpuMicros() - before.cpu) / counted,
      messagesPerFrame: counted / (frames - before.frames),
    };
  } finally {
    for (const client of clients) client.close();
    await service.stop();
  }
}
