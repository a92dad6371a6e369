import { randomBytes, randomUUID } from 'node:crypto';
import { ChatType, type Command, type CreateChatResponse, SendMessageRequest } from '../../pkg/api/chat/v1/chat.ts';
import { countFrame, RawClient, toFrame } from './raw-client.ts';
import { type ServiceProcess, startService } from './service-process.ts';

const chats = 20;
const readersPerChat = 3;
const senderStreams = 100;
/** Messages of each stream that are under way at the same time. */
const window = 4;
/** Calls that are under way at the same time. */
const concurrency = 64;
const text = 'The quick brown fox jumps over the lazy dog, and the dog does not mind.';

/** A service with senders and readers, which work only while `run` does. */
export class TracedLoad {
  readonly #service: ServiceProcess;
  readonly #clients: { client: RawClient; chatId: string }[] = [];
  readonly #senders: ((count: number) => void)[] = [];
  #until = 0;
  #underWay = 0;
  #sent = 0;
  #delivered = 0;
  #live = 0;
  #onProgress = () => {};

  private constructor(service: ServiceProcess) {
    this.#service = service;
  }

  /**
   * Starts a service. A stream is recorded as a whole, so of a few streams the service would record none or too many: with `oneOfAHundred` their clients
   * say that one in a hundred is recorded.
   */
  static async start(
    dsn: string,
    env: Record<string, string>,
    { oneOfAHundred = false }: { oneOfAHundred?: boolean },
  ): Promise<TracedLoad> {
    const load = new TracedLoad(await startService(dsn, env));
    for (let i = 0; i < chats; i += 1) await load.#openChat(i);
    for (let i = 0; i < senderStreams; i += 1) {
      load.#openSender(i % chats, oneOfAHundred ? traceparent(i === 0) : undefined);
    }
    await load.#when(() => load.#live === chats * readersPerChat);
    return load;
  }

  /** Sends for a time, and waits until everything has arrived. Returns the CPU time of the service for each message, in microseconds. */
  async run(how: 'call' | 'stream', durationMs: number): Promise<number> {
    const before = { cpu: this.#service.cpuMicros(), sent: this.#sent };
    this.#until = performance.now() + durationMs;
    if (how === 'stream') for (const send of this.#senders) send(window);
    else await Promise.all(Array.from({ length: concurrency }, (_, i) => this.#keepCalling(i % chats)));
    await this.#when(() => this.#underWay === 0 && this.#delivered === this.#sent * readersPerChat);
    return (this.#service.cpuMicros() - before.cpu) / (this.#sent - before.sent);
  }

  async stop(): Promise<void> {
    for (const { client } of this.#clients) client.close();
    await this.#service.stop();
  }

  async #openChat(i: number): Promise<void> {
    const client = new RawClient(this.#service.address);
    await client.signIn(`sender-${i}`);
    const { chat } = await client.call<CreateChatResponse>('createChat', { type: ChatType.GROUP, name: `bench ${i}` });
    const chatId = chat!.id;
    this.#clients.push({ client, chatId });
    for (let reader = 0; reader < readersPerChat; reader += 1) {
      const stream = this.#connect(client, (frame) => {
        const { messages, caughtUp } = countFrame(frame);
        this.#live += caughtUp;
        this.#delivered += messages;
      });
      stream.write(toFrame([{ commandId: '', command: { $case: 'subscribe', value: { chatId } } }]));
    }
  }

  #openSender(chat: number, trace: string | undefined): void {
    const { client, chatId } = this.#clients[chat]!;
    const headers: Record<string, string> = trace === undefined ? {} : { traceparent: trace };
    const stream = this.#connect(
      client,
      (frame) => {
        const { accepted, rejected } = countFrame(frame);
        if (rejected > 0) throw new Error('the service refused a message of the load');
        this.#underWay -= accepted;
        if (performance.now() < this.#until) send(accepted);
      },
      headers,
    );
    const send = (count: number) => {
      if (count === 0) return;
      this.#underWay += count;
      this.#sent += count;
      const commands = Array.from({ length: count }, (): Command => {
        const value = SendMessageRequest.fromPartial({ chatId, clientMessageId: randomUUID(), text });
        return { commandId: 'c', command: { $case: 'sendMessage', value } };
      });
      stream.write(toFrame(commands));
    };
    this.#senders.push(send);
  }

  async #keepCalling(chat: number): Promise<void> {
    const { client, chatId } = this.#clients[chat]!;
    while (performance.now() < this.#until) {
      this.#sent += 1;
      await client.call('sendMessage', { chatId, clientMessageId: randomUUID(), text });
    }
  }

  #connect(client: RawClient, onFrame: (frame: Buffer) => void, headers: Record<string, string> = {}) {
    const stream = client.connect(headers);
    stream.on('error', () => {});
    stream.on('data', (frame: Buffer) => {
      onFrame(frame);
      this.#onProgress();
    });
    return stream;
  }

  /** Resolves when a frame makes the condition true. Throws if that takes so long that it never will. */
  #when(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('not every message of the load has arrived')), 60_000);
      this.#onProgress = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#onProgress = () => {};
        resolve();
      };
      this.#onProgress();
    });
  }
}

/** A caller's decision for a stream. */
function traceparent(isRecorded: boolean): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-0${isRecorded ? 1 : 0}`;
}
