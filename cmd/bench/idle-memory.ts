import type { FanOutWire } from './fan-out-wire.ts';
import type { MeasuredProcess } from './service-process.ts';

/** Measures the server's memory for each connection that reads a silent chat, in bytes. */
export async function measureIdleMemory(
  server: MeasuredProcess,
  newWire: () => FanOutWire,
  connections: number,
): Promise<number> {
  const wires: FanOutWire[] = [];
  try {
    const open = async (count: number) => {
      wires.push(newWire());
      await wires.at(-1)!.open(count, () => {});
      return server.rssBytes();
    };
    const before = await open(200);
    return ((await open(connections)) - before) / connections;
  } finally {
    for (const wire of wires) wire.close();
    await server.stop();
  }
}
