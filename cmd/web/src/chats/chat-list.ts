import type { Chat, ChatClient, Message } from '../../../../pkg/chat-client/index.ts';
import { membershipChanges } from '../people/membership-changes.ts';
import { Store } from '../store/store.ts';

/** The user's chats, the one that changed last first, each with its last message and how much is unread. */
export class ChatList {
  /** Undefined until it has been read. */
  readonly state = new Store<readonly Chat[] | undefined>(undefined);
  readonly #client: ChatClient;
  readonly #ownId: string;

  constructor(client: ChatClient, ownId: string) {
    this.#client = client;
    this.#ownId = ownId;
  }

  get(chatId: string): Chat | undefined {
    return this.state.value?.find(({ id }) => id === chatId);
  }

  /** Reads all of them. Throws ChatClientError. */
  async load(): Promise<void> {
    const chats = await this.#client.chats();
    // Events that arrived during the read are newer than its result.
    this.state.set(sorted(chats.map((chat) => newerOf(chat, this.get(chat.id)))));
  }

  /** Reads one of them anew. Throws ChatClientError. */
  async refresh(chatId: string): Promise<void> {
    const { chat } = await this.#client.call('getChat', { chatId });
    if (chat) this.#change(chatId, ({ lastMessage }) => ({ ...chat, lastMessage }));
  }

  add(chat: Chat): void {
    const known = this.get(chat.id);
    const others = (this.state.value ?? []).filter(({ id }) => id !== chat.id);
    this.state.set(
      sorted([...others, { ...newerOf(chat, known), lastMessage: known?.lastMessage ?? chat.lastMessage }]),
    );
  }

  remove(chatId: string): void {
    this.state.update((chats) => chats?.filter(({ id }) => id !== chatId));
  }

  receive(message: Message): void {
    const { chatId, seq, sender, system } = message;
    this.#change(chatId, (chat) => {
      if (seq <= chat.lastSeq) return seq === chat.lastMessage?.seq ? { ...chat, lastMessage: message } : chat;
      const counts = !system && sender?.id !== this.#ownId;
      const unreadCount = chat.unreadCount + (counts ? 1 : 0);
      return { ...this.#told(chat, message), lastSeq: seq, lastMessage: message, unreadCount };
    });
  }

  /** The user's read mark moved, on this device or another one. */
  read(chatId: string, readSeq: number, unreadCount: number): void {
    this.#change(chatId, (chat) => (readSeq < chat.readSeq ? chat : { ...chat, readSeq, unreadCount }));
  }

  /** Returns the chat with the change that a system message describes. */
  #told(chat: Chat, message: Message): Chat {
    const { came, went, newRole } = membershipChanges(message);
    const memberCount = Math.max(0, chat.memberCount + came.length - went.length);
    return { ...chat, memberCount, ...(newRole?.userId === this.#ownId && { ownRole: newRole.role }) };
  }

  #change(chatId: string, change: (chat: Chat) => Chat): void {
    this.state.update((chats) => {
      const index = chats?.findIndex(({ id }) => id === chatId) ?? -1;
      if (!chats || index < 0) return chats;
      const changed = change(chats[index]!);
      return changed === chats[index] ? chats : sorted(chats.with(index, changed));
    });
  }
}

function newerOf(read: Chat, known: Chat | undefined): Chat {
  return known && (known.lastSeq > read.lastSeq || known.readSeq > read.readSeq) ? known : read;
}

function sorted(chats: Chat[]): readonly Chat[] {
  const changedAt = ({ lastMessage, createdAt }: Chat) => (lastMessage?.createdAt ?? createdAt)?.getTime() ?? 0;
  return chats.sort((one, other) => changedAt(other) - changedAt(one));
}
