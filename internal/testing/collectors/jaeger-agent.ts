import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { decodeJaeger } from './decode-jaeger.ts';
import type { ReceivedSpan } from './received-span.ts';

/** Listens on a UDP port as a Jaeger agent, and keeps the raw packets. */
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

  /** Whether one packet contains all of these parts, at any place. */
  has(...parts: (string | Buffer)[]): boolean {
    return this.packets.some((packet) => parts.every((part) => packet.includes(part)));
  }

  received(): ReceivedSpan[] {
    return this.packets.flatMap(decodeJaeger);
  }

  stop(): void {
    this.#stop();
  }
}

/** The lower 64 bits of a trace id, as packets contain them. */
export function lowTraceId(traceId: string): Buffer {
  return Buffer.from(traceId.padStart(32, '0').slice(16), 'hex');
}
