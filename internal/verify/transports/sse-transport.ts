import { type Command, Event } from '../../../pkg/api/chat/v1/chat.ts';
import type { Status } from '../../../pkg/api/google/rpc/status.ts';
import type { ChatClientError } from '../../../pkg/chat-client/errors/chat-error.ts';
import { statusFromJson } from '../../../pkg/chat-client/errors/status-json.ts';
import { Mailbox } from '../../../pkg/chat-client/transports/mailbox.ts';
import type { Stream, Transport } from '../../../pkg/chat-client/transports/transport.ts';

/**
 * A transport whose streams are server-sent events and REST: `subscribe` requests the events of a chat, `send_message` makes a call, and other
 * commands fail. The stream ends when the events of a chat end.
 */
export function sseTransport(baseUrl: string, calls: Transport): Transport {
  return { ...calls, connect: (token, signal) => new SseStream(baseUrl, calls, token, signal) };
}

class SseStream implements Stream {
  readonly frames = new Mailbox<readonly Event[]>();
  readonly #baseUrl: string;
  readonly #calls: Transport;
  readonly #token: string;
  readonly #signal: AbortSignal;
  #welcomed = false;

  constructor(baseUrl: string, calls: Transport, token: string, signal: AbortSignal) {
    this.#baseUrl = baseUrl;
    this.#calls = calls;
    this.#token = token;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.frames.end(), { once: true });
  }

  send(command: Command): void {
    this.#carryOut(command).catch((error: unknown) => {
      if (!this.#signal.aborted) this.frames.end(error as ChatClientError);
    });
  }

  async #carryOut({ commandId, command }: Command): Promise<void> {
    switch (command?.$case) {
      case 'subscribe': {
        const { chatId, afterSeq, epoch } = command.value;
        const cursor = new URLSearchParams();
        if (afterSeq !== undefined) cursor.set('after_seq', String(afterSeq));
        if (epoch) cursor.set('epoch', epoch);
        return this.#read(commandId, `/v1/chats/${encodeURIComponent(chatId)}/events?${cursor}`);
      }
      case 'sendMessage': {
        const receipt = await this.#calls.chat.sendMessage(command.value, { token: this.#token });
        return this.frames.push([{ event: { $case: 'accepted', value: { commandId, ...receipt } } }]);
      }
      default:
        throw new Error(`server-sent events have no ${command?.$case}`);
    }
  }

  async #read(commandId: string, path: string): Promise<void> {
    const response = await fetch(this.#baseUrl + path, {
      headers: { authorization: `Bearer ${this.#token}` },
      signal: this.#signal,
    });
    if (response.status !== 200) {
      return this.#tell(commandId, 'rejected', { status: statusFromJson(await response.json()) });
    }
    let rest = '';
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop()!;
      for (const block of blocks) {
        const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
        if (fields.has('event')) this.#tell(commandId, fields.get('event')!, JSON.parse(fields.get('data')!));
      }
    }
    this.frames.end();
  }

  #tell(commandId: string, name: string, value: object | { status: Status }): void {
    if (name === 'welcome' && this.#welcomed) return;
    this.#welcomed ||= name === 'welcome';
    if ('status' in value) {
      return this.frames.push([{ event: { $case: 'rejected', value: { commandId, status: value.status } } }]);
    }
    const camel = name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
    const event = Event.fromJSON({ [camel]: name === 'subscribed' ? { ...value, commandId } : value });
    this.frames.push([event]);
  }
}
