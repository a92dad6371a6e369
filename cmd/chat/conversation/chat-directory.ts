import { type Chat, ChatType, type Message, withChatUpdate } from '../../../pkg/chat-client/index.ts';

/** The known chats of the user, and the current chat, which lines are sent to. */
export class ChatDirectory {
  readonly #load: (chatId: string) => Promise<Chat>;
  readonly #chats = new Map<string, Chat>();
  #currentId: string | undefined;

  /** `load` gets a chat that is not known yet. */
  constructor(load: (chatId: string) => Promise<Chat>) {
    this.#load = load;
  }

  get current(): Chat | undefined {
    return this.#currentId === undefined ? undefined : this.#chats.get(this.#currentId);
  }

  get all(): readonly Chat[] {
    return [...this.#chats.values()];
  }

  add(chat: Chat): void {
    this.#chats.set(chat.id, chat);
  }

  /** Notes what a message changes of its chat. */
  receive(message: Message): void {
    const chat = this.#chats.get(message.chatId);
    if (chat && message.seq > chat.lastSeq) this.add({ ...withChatUpdate(chat, message), lastSeq: message.seq });
  }

  /** Makes a chat the current one. */
  enter(chat: Chat): void {
    this.add(chat);
    this.#currentId = chat.id;
  }

  /** From now on there is no current chat. */
  leaveCurrent(): void {
    this.#currentId = undefined;
  }

  /** Removes a chat; returns it if it was known. */
  remove(chatId: string): Chat | undefined {
    const chat = this.#chats.get(chatId);
    this.#chats.delete(chatId);
    if (this.#currentId === chatId) this.#currentId = undefined;
    return chat;
  }

  /** Throws what `load` throws. */
  async get(chatId: string): Promise<Chat> {
    const known = this.#chats.get(chatId);
    if (known) return known;
    const chat = await this.#load(chatId);
    this.add(chat);
    return chat;
  }

  /** The room with that name, if the user is a member. */
  findRoom(name: string): Chat | undefined {
    return [...this.#chats.values()].find((chat) => chat.type === ChatType.ROOM && chat.name === name);
  }
}
