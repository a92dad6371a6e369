import type { FanOutWire } from './fan-out-wire.ts';
import type { MeasuredProcess } from './service-process.ts';

export interface FanOutResult {
  deliveriesPerSecond: number;
  /** Processor time of the server for each delivery, in microseconds. */
  serviceMicros: number;
}

/** Deliveries a second into several chats with so many readers each; each is sent to as fast as its readers receive. */
export async function measureFanOut(
  server: MeasuredProcess,
  wire: FanOutWire,
  { chats, readers, burst, durationMs }: { chats: number; readers: number; burst: number; durationMs: number },
): Promise<FanOutResult> {
  try {
    const arrived: ((messages: number) => void)[] = [];
    let deliveries = 0;
    await wire.open(chats, readers, (chat, messages) => {
      deliveries += messages;
      arrived[chat]?.(messages);
    });
    const sendBurst = (chat: number) =>
      new Promise<void>((resolve) => {
        let missing = burst * readers;
        arrived[chat] = (messages) => {
          missing -= messages;
          if (missing === 0) resolve();
        };
        wire.send(chat, burst);
      });
    const sendUntil = async (end: number) => {
      const each = Array.from({ length: chats }, async (_, chat) => {
        while (performance.now() < end) await sendBurst(chat);
      });
      await Promise.all(each);
    };
    await sendUntil(performance.now() + durationMs / 4);
    const before = { at: performance.now(), cpu: server.cpuMicros(), deliveries };
    await sendUntil(before.at + durationMs);
    const counted = deliveries - before.deliveries;
    return {
      deliveriesPerSecond: counted / ((performance.now() - before.at) / 1_000),
      serviceMicros: (server.cpuMicros() - before.cpu) / counted,
    };
  } finally {
    wire.close();
    await server.stop();
  }
}
