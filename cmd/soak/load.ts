import { setTimeout as sleep } from 'node:timers/promises';
import { guest } from '../../pkg/chat-client/auth/token-source.ts';
import { ChatClient } from '../../pkg/chat-client/chat-client.ts';
import { grpcTransport } from '../../pkg/chat-client/grpc.ts';

interface LoadOptions {
  /** Addresses of the nodes' gRPC servers. */
  nodes: readonly string[];
  /** Clients that send, each to a room that the client after it reads. */
  clients: number;
}

/** Unanswered messages of a client. With more it sends nothing, so that an outage does not end in a flood. */
const maxUnanswered = 64;
const text = 'a message of usual length, as people write them';
/** How often messages are sent, in milliseconds. */
const tickMs = 20;

/** Clients of the SDK that send to rooms and read them, at a rate that can be changed. */
export class Load {
  readonly #clients: readonly ChatClient[];
  readonly #rooms: readonly string[];
  readonly #unanswered = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #acknowledged = 0;
  #received = 0;
  #failure: unknown;

  private constructor(clients: readonly ChatClient[], rooms: readonly string[]) {
    this.#clients = clients;
    this.#rooms = rooms;
    for (const client of clients) client.on('message', () => (this.#received += 1));
  }

  /** Throws ChatClientError if a client cannot sign in. */
  static async start({ nodes, clients: count }: LoadOptions): Promise<Load> {
    const tag = crypto.randomUUID().slice(0, 8);
    const clients = Array.from({ length: count }, (_, i) => {
      const transport = grpcTransport(nodes[i % nodes.length]!, {
        channelOptions: { 'grpc.use_local_subchannel_pool': 1 },
      });
      return new ChatClient({ transport, token: guest(`soak-${tag}-${i}`) });
    });
    await Promise.all(clients.map((client) => client.connect()));
    const rooms = await Promise.all(clients.map((client, i) => client.joinRoom(`soak-${tag}-${i}`)));
    // Each room has a reader on another node.
    await Promise.all(clients.map((client, i) => client.joinRoom(`soak-${tag}-${(i + 1) % count}`)));
    return new Load(
      clients,
      rooms.map(({ id }) => id),
    );
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get received(): number {
    return this.#received;
  }

  /** A send that was refused for good. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Sends so many messages per second from now on, all clients together; Infinity sends as fast as answers come. */
  setRate(perSecond: number): void {
    clearInterval(this.#timer);
    let owed = 0;
    let next = 0;
    this.#timer = setInterval(() => {
      // What an outage has held back is not made up for.
      owed = Math.min(owed + (perSecond * tickMs) / 1_000, this.#clients.length * maxUnanswered);
      for (let idle = 0; owed >= 1 && idle < this.#clients.length; next += 1) {
        const client = this.#clients[next % this.#clients.length]!;
        if (client.pendingSends >= maxUnanswered) {
          idle += 1;
          continue;
        }
        idle = 0;
        owed -= 1;
        this.#sendSoon(client, this.#rooms[next % this.#rooms.length]!);
      }
    }, tickMs);
  }

  /** Sends nothing more, and waits for answers, `settleMs` milliseconds at most. Returns how many messages have none then. Twice is harmless. */
  async stop(settleMs: number): Promise<number> {
    clearInterval(this.#timer);
    await Promise.race([Promise.all(this.#unanswered), sleep(settleMs, undefined, { ref: false })]);
    const { size } = this.#unanswered;
    await Promise.all(this.#clients.map((client) => client.close()));
    return size;
  }

  #sendSoon(client: ChatClient, roomId: string): void {
    const answered = this.#send(client, roomId).finally(() => this.#unanswered.delete(answered));
    this.#unanswered.add(answered);
  }

  async #send(client: ChatClient, roomId: string): Promise<void> {
    try {
      await client.send(roomId, text);
      this.#acknowledged += 1;
    } catch (error) {
      this.#failure ??= error;
    }
  }
}
