import type { Bus } from '../../client/bus/bus.ts';
import type { Complete } from '../../model/complete.ts';
import type { Message } from '../../model/message.ts';
import type { Appended, NewMessage } from '../../repository/message-repository.ts';

/** What has become of a batch's messages, for those who read the chats. */
export class WrittenMessages {
  readonly #stored = new Map<string, Message[]>();
  readonly #heads = new Map<string, number>();

  /** Messages of a chat in the order of their numbers. */
  addStored({ chatId, sender, clientMessageId, text }: NewMessage, { messageId, seq, createdAt }: Appended): void {
    const message: Complete<Message> = {
      id: messageId,
      chatId,
      seq,
      updateSeq: seq,
      sender,
      clientMessageId,
      text,
      createdAt,
      system: undefined,
    };
    const ofChat = this.#stored.get(chatId);
    if (ofChat) ofChat.push(message);
    else this.#stored.set(chatId, [message]);
  }

  /** For a message that an attempt whose answer was lost may have committed: then nobody has published it. */
  addRepeated({ chatId }: NewMessage, { seq }: Appended): void {
    this.#heads.set(chatId, Math.max(seq, this.#heads.get(chatId) ?? 0));
  }

  publish(bus: Bus): void {
    for (const [chatId, seq] of this.#heads) bus.publishToChat(chatId, { kind: 'head', seq });
    for (const [chatId, messages] of this.#stored) bus.publishToChat(chatId, { kind: 'messages', messages });
  }
}
