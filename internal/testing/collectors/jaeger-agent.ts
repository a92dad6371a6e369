import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A Jaeger agent's UDP port: keeps the packets that come, as they are. */
export class JaegerAgent {
  readonly url: string;
  readonly packets: Buffer[] = [];
  readonly #stop: () => void;

  private constructor(url: string, stop: () => void) {
    this.url = url;
    this.#stop = stop;
  }

  static async start(): Promise<JaegerAgent> {
    const socket = createSocket('udp4', (packet) => agent.packets.push(packet));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const agent = new JaegerAgent(`jaeger://127.0.0.1:${socket.address().port}`, () => socket.close());
    return agent;
  }

  /** Whether a packet holds all of these, in whatever place. */
  has(...parts: (string | Buffer)[]): boolean {
    return this.packets.some((packet) => parts.every((part) => packet.includes(part)));
  }

  stop(): void {
    this.#stop();
  }
}

/** The lower half of a trace id, as it is in a packet. */
export function lowTraceId(traceId: string): Buffer {
  return Buffer.from(traceId.padStart(32, '0').slice(16), 'hex');
}
