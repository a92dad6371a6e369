import { type Command, type Event, type Message, StartFrom } from '../../../pkg/api/chat/v1/chat.ts';
import { ChatClientError } from '../../../pkg/chat-client/errors/chat-error.ts';
import type { Stream, Transport } from '../../../pkg/chat-client/transports/transport.ts';

export type EventBody = NonNullable<Event['event']>;
export type EventCase = EventBody['$case'];
export type ValueOf<Case extends EventCase> = Extract<EventBody, { $case: Case }>['value'];
export type CommandBody = NonNullable<Command['command']>;

/** Everything that comes down one stream, in order, on whatever transport; without the SDK's retries and resumption. */
export class StreamProbe {
  /** Every event that has come. */
  readonly events: EventBody[] = [];
  /** How many events each frame had. */
  readonly frameSizes: number[] = [];
  /** Resolves when the stream is over: with the error if it did not end well. */
  readonly ended: Promise<ChatClientError | undefined>;
  readonly #stream: Stream;
  readonly #abort = new AbortController();
  #onEvent: (() => void)[] = [];
  #over = false;
  #lastCommand = 0;

  constructor(transport: Transport, token: string) {
    this.#stream = transport.connect(token, this.#abort.signal);
    this.ended = this.#read();
  }

  /** Queues a command and returns its id. */
  send(command: CommandBody | undefined, commandId = this.nextId()): string {
    this.#stream.send({ commandId, command });
    return commandId;
  }

  nextId(): string {
    this.#lastCommand += 1;
    return `c${this.#lastCommand}`;
  }

  /** Sends a command; resolves with the event that answers it, `rejected` too. */
  async ask(command: CommandBody | undefined): Promise<EventBody> {
    const commandId = this.send(command);
    // `subscribe_all` is answered once more for each chat.
    const partial = command?.$case === 'subscribe' ? undefined : 'subscribed';
    return this.next(({ $case, value }) => 'commandId' in value && value.commandId === commandId && $case !== partial);
  }

  /** The first event that has come or will come and meets the condition. */
  async next(condition: (event: EventBody) => boolean, from = 0): Promise<EventBody> {
    for (let looked = from; ; ) {
      const found = this.events.slice(looked).find(condition);
      if (found) return found;
      looked = this.events.length;
      if (this.#over) throw new Error(`the stream ended first; ${this.events.length} events, ${await this.ended}`);
      await this.#change();
    }
  }

  /** The first event of a kind. */
  async nextOf<Case extends EventCase>($case: Case, from = 0): Promise<ValueOf<Case>> {
    return (await this.next((event) => event.$case === $case, from)).value as ValueOf<Case>;
  }

  /** Resolves as soon as the condition holds; looked at after each frame. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#over) throw new Error(`the stream ended first; ${this.events.length} events, ${await this.ended}`);
      await this.#change();
    }
  }

  /** The values of all events of a kind so far. */
  all<Case extends EventCase>($case: Case): ValueOf<Case>[] {
    return this.events.filter((event) => event.$case === $case).map(({ value }) => value as ValueOf<Case>);
  }

  /** The messages of one chat so far. */
  messages(chatId: string): Message[] {
    return this.all('message').filter((message) => message.chatId === chatId);
  }

  /** Breaks the stream off as a client that goes without a word. */
  close(): void {
    this.#abort.abort();
  }

  async #read(): Promise<ChatClientError | undefined> {
    try {
      for await (const events of this.#stream.frames) {
        this.frameSizes.push(events.length);
        for (const { event } of events) if (event) this.events.push(event);
        this.#notify();
      }
      return undefined;
    } catch (error) {
      return error instanceof ChatClientError ? error : new ChatClientError(String(error), { code: 'UNKNOWN' });
    } finally {
      this.#over = true;
      this.#notify();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#onEvent.push(resolve));
  }

  #notify(): void {
    for (const resolve of this.#onEvent.splice(0)) resolve();
  }
}

export const commands = {
  subscribe: (chatId: string, afterSeq?: number): CommandBody => ({ $case: 'subscribe', value: { chatId, afterSeq } }),
  subscribeAll: (cursors: Record<string, number> = {}, others: StartFrom = StartFrom.NOW): CommandBody => ({
    $case: 'subscribeAll',
    value: { cursors, others },
  }),
  unsubscribe: (chatId: string): CommandBody => ({ $case: 'unsubscribe', value: { chatId } }),
  send: (chatId: string, text: string, clientMessageId: string = crypto.randomUUID()): CommandBody => ({
    $case: 'sendMessage',
    value: { chatId, text, clientMessageId },
  }),
  authenticate: (token: string): CommandBody => ({ $case: 'authenticate', value: { token } }),
  typing: (chatId: string): CommandBody => ({ $case: 'typing', value: { chatId } }),
  markRead: (chatId: string, seq: number): CommandBody => ({ $case: 'markRead', value: { chatId, seq } }),
  ping: (): CommandBody => ({ $case: 'ping', value: {} }),
};
