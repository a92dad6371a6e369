import type { ChatClient, Message } from '../../../../pkg/chat-client/index.ts';
import { Store } from '../store/store.ts';

/** The most messages that are kept for replies to them. */
const maxKept = 1_000;

/** The messages that others reply to, in their newest states, by id; undefined: the chat has no such message, or hides it. */
export type Quoted = ReadonlyMap<string, Message | undefined>;

/** Keeps what replies quote. A reply never holds the text itself, so a deleted message is gone from every quote. */
export class QuotedMessages {
  readonly state = new Store<Quoted>(new Map());
  readonly #client: Pick<ChatClient, 'call'>;
  readonly #asked = new Set<string>();

  constructor(client: Pick<ChatClient, 'call'>) {
    this.#client = client;
  }

  /** Adds messages that replies may quote: those that a page carries, and those of the page. */
  addPage(messages: readonly Message[], referenced: readonly Message[]): void {
    const quoted = new Set(messages.flatMap(({ replyTo }) => replyTo?.messageId ?? []));
    this.#put([...referenced, ...messages.filter(({ id }) => quoted.has(id))]);
  }

  /** Adds the message that this one replies to. `find` looks among those that are loaded; else the service is asked. */
  async addFor({ chatId, replyTo }: Message, find: (id: string) => Message | undefined): Promise<void> {
    if (!replyTo) return;
    const { messageId } = replyTo;
    if (this.state.value.has(messageId) || this.#asked.has(messageId)) return;
    const known = find(messageId);
    if (known) return this.#put([known]);
    this.#asked.add(messageId);
    try {
      const { message } = await this.#client.call('getMessage', { chatId, messageId });
      if (message) this.#put([message]);
    } catch {
      // It is hidden, or cannot be read now: the reply says that there is no message to show.
      if (!this.state.value.has(messageId)) this.state.update((before) => new Map(before).set(messageId, undefined));
    } finally {
      this.#asked.delete(messageId);
    }
  }

  /** Handles the new state of a message. */
  receiveChange(message: Message): void {
    if (this.state.value.has(message.id)) this.#put([message]);
  }

  #put(messages: readonly Message[]): void {
    const newer = messages.filter(({ id, updateSeq }) => (this.state.value.get(id)?.updateSeq ?? 0) < updateSeq);
    if (newer.length === 0) return;
    const all = [...this.state.value, ...newer.map((message) => [message.id, message] as const)];
    this.state.set(new Map(all.slice(-maxKept)));
  }
}
