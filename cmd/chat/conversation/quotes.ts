import { type ChatClient, ChatClientError, type Message } from '../../../pkg/chat-client/index.ts';

/** How many messages are remembered for replies to them. */
const maxRemembered = 500;

/** Finds the messages that others reply to: among those that were seen lately, or at the service. */
export class Quotes {
  readonly #client: ChatClient;
  /** By id, in their newest state: a deleted text is not remembered. */
  readonly #seen = new Map<string, Message>();

  constructor(client: ChatClient) {
    this.#client = client;
  }

  /** Remembers the state of a message, if it is newer than the known one. */
  note(message: Message): void {
    const known = this.#seen.get(message.id);
    if (known && known.updateSeq > message.updateSeq) return;
    this.#seen.delete(message.id);
    this.#seen.set(message.id, message);
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= maxRemembered) return;
      this.#seen.delete(oldest);
    }
  }

  /** Returns the message that this one replies to; undefined if there is none or it cannot be seen. Never throws. */
  async find({ chatId, replyTo }: Message): Promise<Message | undefined> {
    if (!replyTo) return undefined;
    const known = this.#seen.get(replyTo.messageId);
    if (known) return known;
    try {
      const { message } = await this.#client.call('getMessage', { chatId, messageId: replyTo.messageId });
      if (message) this.note(message);
      return message;
    } catch (error) {
      if (error instanceof ChatClientError) return undefined;
      throw error;
    }
  }
}
