import type { FanOutWire } from './fan-out-wire.ts';
import type { MeasuredProcess } from './service-process.ts';

export interface FanOutResult {
  deliveriesPerSecond: number;
  /** CPU time of the server for each delivery, in microseconds. */
  serviceMicros: number;
  messagesPerFrame: number;
}

export interface FanOutLoad {
  readers: number;
  /** Messages in a burst. */
  burst: number;
  /** Bursts under way at the same time, so that no process waits for work: waking a process costs CPU time. */
  window: number;
  durationMs: number;
}

/** Measures deliveries per second in one chat with many readers; the sender sends as fast as all of them receive. */
export async function measureFanOut(
  server: MeasuredProcess,
  wire: FanOutWire,
  { readers, burst, window, durationMs }: FanOutLoad,
): Promise<FanOutResult> {
  try {
    let deliveries = 0;
    let frames = 0;
    let arrived = () => {};
    await wire.open(readers, (messages) => {
      deliveries += messages;
      frames += 1;
      arrived();
    });
    let sent = 0;
    const send = () => {
      sent += burst * readers;
      wire.send(burst);
    };
    const sendUntil = async (end: number) => {
      const done = new Promise<void>((resolve) => {
        arrived = () => {
          const isOver = performance.now() >= end;
          while (!isOver && sent - deliveries <= (window - 1) * burst * readers) send();
          if (isOver && deliveries === sent) resolve();
        };
      });
      for (let i = 0; i < window; i += 1) send();
      await done;
    };
    await sendUntil(performance.now() + durationMs / 4);
    const before = { at: performance.now(), cpu: server.cpuMicros(), deliveries, frames };
    await sendUntil(before.at + durationMs);
    const counted = deliveries - before.deliveries;
    return {
      deliveriesPerSecond: counted / ((performance.now() - before.at) / 1_000),
      serviceMicros: (server.cpuMicros() - before.cpu) / counted,
      messagesPerFrame: counted / (frames - before.frames),
    };
  } finally {
    wire.close();
    await server.stop();
  }
}
