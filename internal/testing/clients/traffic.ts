import { expect } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { type Chat, ChatClient, guest, type Message, type Receipt } from '../../../pkg/chat-client/index.ts';
import { eventually } from '../eventually.ts';
import { uniqueName } from './person.ts';

interface Sent extends Receipt {
  text: string;
}

/**
 * SDK clients that send messages to one room without a pause, while a test disturbs the service. Each keeps `inFlight` messages unacknowledged. At the
 * end, `expectNothingLost` compares the acknowledged messages with the received ones.
 */
export class Traffic {
  readonly clients: ChatClient[] = [];
  room: Chat = undefined as never;
  /** The acknowledged messages, by client. */
  readonly sent: Sent[][] = [];
  /** The received messages, by client. */
  readonly heard: Message[][] = [];
  readonly #talking: Promise<void>[] = [];
  #stopped = false;

  /** Connects `clients` clients, to the addresses in turn, and starts them. */
  static async start(addresses: string | readonly string[], clients: number, inFlight = 20): Promise<Traffic> {
    const traffic = new Traffic();
    const name = uniqueName('traffic');
    for (let i = 0; i < clients; i += 1) {
      const address = [addresses].flat()[i % [addresses].flat().length]!;
      const transport = grpcTransport(address, { channelOptions: { 'grpc.use_local_subchannel_pool': 1 } });
      const client = new ChatClient({ transport, token: guest(uniqueName(`talker-${process.pid}`)) });
      traffic.clients.push(client);
      await client.connect();
      traffic.room = await client.joinRoom(name);
    }
    for (const [i, client] of traffic.clients.entries()) {
      const [sent, heard]: [Sent[], Message[]] = [[], []];
      traffic.sent.push(sent);
      traffic.heard.push(heard);
      client.on('message', (message) => message.system || heard.push(message));
      traffic.#talking.push(traffic.#talk(client, i, inFlight));
    }
    return traffic;
  }

  get acknowledged(): number {
    return this.sent.reduce((sum, { length }) => sum + length, 0);
  }

  /** Resolves when `count` more messages have been acknowledged. */
  async flow(count: number): Promise<void> {
    const goal = this.acknowledged + count;
    await eventually(() => expect(this.acknowledged).toBeGreaterThanOrEqual(goal));
  }

  /** Stops sending. Resolves when every sent message has been acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#talking);
  }

  /** Expects that the history and every client have exactly the acknowledged messages, each once and at its number. */
  async expectNothingLost(): Promise<void> {
    const acknowledged = this.sent.flat().sort((a, b) => a.seq - b.seq);
    const last = acknowledged.at(-1)!.seq;
    const first = acknowledged[0]!.seq;
    expect(acknowledged.map(({ seq }) => seq)).toEqual(acknowledged.map((_, i) => first + i));
    const expected = acknowledged.map(({ seq, messageId, text }) => ({ seq, id: messageId, text }));
    for (const heard of this.heard) {
      await eventually(() => expect(heard.at(-1)?.seq).toBe(last));
      expect(heard.map(({ seq, id, text }) => ({ seq, id, text }))).toEqual(expected);
    }
    expect(await this.#history(first - 1)).toEqual(expected);
  }

  /** Expects that each client's messages are numbered in the order in which it sent them. */
  expectOwnOrder(): void {
    for (const sent of this.sent)
      expect(sent.map(({ seq }) => seq)).toEqual(sent.map(({ seq }) => seq).sort((a, b) => a - b));
  }

  async close(): Promise<void> {
    this.#stopped = true;
    for (const talking of this.#talking) talking.catch(() => {});
    await Promise.all(this.clients.map((client) => client.close()));
  }

  async #talk(client: ChatClient, writer: number, inFlight: number): Promise<void> {
    const pending: Promise<Sent>[] = [];
    const settle = async () => this.sent[writer]!.push(await pending.shift()!);
    for (let i = 0; !this.#stopped; i += 1) {
      const text = `${writer}:${i}`;
      const sent = client.send(this.room.id, text).then((receipt) => ({ ...receipt, text }));
      sent.catch(() => {});
      pending.push(sent);
      if (pending.length >= inFlight) await settle();
    }
    while (pending.length > 0) await settle();
  }

  async #history(afterSeq: number): Promise<{ seq: number; id: string; text: string }[]> {
    const found: { seq: number; id: string; text: string }[] = [];
    for (let from = afterSeq, more = true; more; ) {
      const request = { chatId: this.room.id, afterSeq: from, pageSize: 200 };
      const { messages, hasMore } = await this.clients[0]!.call('listMessages', request);
      for (const { seq, id, text } of messages) found.push({ seq, id, text });
      from = messages.at(-1)?.seq ?? from;
      more = hasMore;
    }
    return found;
  }
}
