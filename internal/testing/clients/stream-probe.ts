import { type Command, type Event, type Message, StartFrom } from '../../../pkg/api/chat/v1/chat.ts';
import { ChatClientError } from '../../../pkg/chat-client/errors/chat-error.ts';
import type { Stream, Transport } from '../../../pkg/chat-client/transports/transport.ts';

export type EventBody = NonNullable<Event['event']>;
export type EventCase = EventBody['$case'];
export type ValueOf<Case extends EventCase> = Extract<EventBody, { $case: Case }>['value'];
export type CommandBody = NonNullable<Command['command']>;

/** Records all events of one stream, in order, over any transport. Neither retries nor resumes, unlike the SDK. */
export class StreamProbe {
  /** All events received so far. */
  readonly events: EventBody[] = [];
  /** The number of events in each frame. */
  readonly frameSizes: number[] = [];
  /** Resolves when the stream ends, with the error if it failed. */
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

  /** Sends a command. Resolves with the event that answers it, which may be `rejected`. */
  async ask(command: CommandBody | undefined): Promise<EventBody> {
    const commandId = this.send(command);
    // `subscribe_all` also causes one `subscribed` for each chat.
    const partial = command?.$case === 'subscribe' ? undefined : 'subscribed';
    return this.next(({ $case, value }) => 'commandId' in value && value.commandId === commandId && $case !== partial);
  }

  /** Resolves with the first event that meets the condition, received before or after the call. Throws if the stream ends first. */
  async next(condition: (event: EventBody) => boolean, from = 0): Promise<EventBody> {
    for (let looked = from; ; ) {
      const found = this.events.slice(looked).find(condition);
      if (found) return found;
      looked = this.events.length;
      if (this.#over) throw new Error(`the stream ended first; ${this.events.length} events, ${await this.ended}`);
      await this.#change();
    }
  }

  /** Resolves with the value of the first event of a kind. Throws if the stream ends first. */
  async nextOf<Case extends EventCase>($case: Case, from = 0): Promise<ValueOf<Case>> {
    return (await this.next((event) => event.$case === $case, from)).value as ValueOf<Case>;
  }

  /** Resolves when the condition holds. Checks it after each frame. Throws if the stream ends first. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#over) throw new Error(`the stream ended first; ${this.events.length} events, ${await this.ended}`);
      await this.#change();
    }
  }

  /** The values of all events of a kind received so far. */
  all<Case extends EventCase>($case: Case): ValueOf<Case>[] {
    return this.events.filter((event) => event.$case === $case).map(({ value }) => value as ValueOf<Case>);
  }

  /** The messages of one chat received so far. */
  messages(chatId: string): Message[] {
    return this.all('message').filter((message) => message.chatId === chatId);
  }

  /** Cancels the stream, as a client that disappears does. */
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
  subscribe: (chatId: string, afterSeq?: number, epoch?: string): CommandBody => ({
    $case: 'subscribe',
    value: { chatId, afterSeq, epoch },
  }),
  subscribeAll: (
    cursors: Record<string, number> = {},
    others: StartFrom = StartFrom.NOW,
    epochs: Record<string, string> = {},
  ): CommandBody => ({ $case: 'subscribeAll', value: { cursors, others, epochs } }),
  unsubscribe: (chatId: string): CommandBody => ({ $case: 'unsubscribe', value: { chatId } }),
  send: (
    chatId: string,
    text: string,
    clientMessageId: string = crypto.randomUUID(),
    data?: Record<string, unknown>,
  ): CommandBody => ({
    $case: 'sendMessage',
    value: { chatId, text, clientMessageId, data, type: '', silent: false, mentions: [] },
  }),
  authenticate: (token: string): CommandBody => ({ $case: 'authenticate', value: { token } }),
  typing: (chatId: string): CommandBody => ({ $case: 'typing', value: { chatId } }),
  markRead: (chatId: string, seq: number): CommandBody => ({ $case: 'markRead', value: { chatId, seq } }),
  markUnread: (chatId: string, fromSeq: number): CommandBody => ({ $case: 'markUnread', value: { chatId, fromSeq } }),
  markDelivered: (chatId: string, seq: number): CommandBody => ({ $case: 'markDelivered', value: { chatId, seq } }),
  ping: (): CommandBody => ({ $case: 'ping', value: {} }),
};
