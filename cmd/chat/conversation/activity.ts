import type { Chat, ChatClient, User } from '../../../pkg/chat-client/index.ts';
import type { ChatDirectory } from './chat-directory.ts';

interface Deps {
  client: ChatClient;
  chats: ChatDirectory;
  /** What `summary` tells may have changed. */
  onChanged: () => void;
}

/** Somebody who has not said so again for that long is not typing any more, in milliseconds. */
const typingMs = 6_000;

/** What others do besides writing: who is typing here, and what is unread elsewhere. What is shown here is marked as read. */
export class Activity {
  readonly #deps: Deps;
  readonly #unread = new Map<string, number>();
  readonly #typing = new Map<string, { user: User; chatId: string; timer: NodeJS.Timeout }>();
  #userId = '';

  constructor(deps: Deps) {
    this.#deps = deps;
    const { client, chats } = deps;
    client.on('state', (state) => {
      if (state.kind === 'online') this.#userId = state.user.id;
    });
    client.on('message', ({ chatId, sender, updateSeq, system }) => {
      this.#stopTyping(sender?.id ?? '');
      if (chats.current?.id === chatId) return this.#markRead(chatId, updateSeq);
      if (system || sender?.id === this.#userId) return;
      this.#unread.set(chatId, (this.#unread.get(chatId) ?? 0) + 1);
      deps.onChanged();
    });
    client.on('typing', ({ chatId, user }) => user && this.#startTyping(chatId, user));
    client.on('chatRemoved', ({ chatId }) => this.#read(chatId));
    client.on('read', ({ chatId, userId }) => {
      // On another device: how much is left the service knows.
      if (userId === this.#userId && this.#unread.has(chatId)) void this.#recount(chatId);
    });
  }

  /** Messages in other chats than the current one that were not read. */
  get unread(): number {
    let sum = 0;
    for (const count of this.#unread.values()) sum += count;
    return sum;
  }

  /** Who is typing in the current chat. */
  get typing(): User[] {
    const { current } = this.#deps.chats;
    return [...this.#typing.values()].filter(({ chatId }) => chatId === current?.id).map(({ user }) => user);
  }

  /** Looks at what is unread since the last time. Returns the chats with something unread. Throws what the client throws. */
  async load(): Promise<Chat[]> {
    const chats = await this.#deps.client.chats();
    const unread = chats.filter(({ id, unreadCount }) => unreadCount > 0 && id !== this.#deps.chats.current?.id);
    this.#unread.clear();
    for (const { id, unreadCount } of unread) this.#unread.set(id, unreadCount);
    this.#deps.onChanged();
    return unread;
  }

  /** The chat is the current one now. */
  entered({ id, lastSeq }: Chat): void {
    this.#read(id);
    if (lastSeq > 0) this.#markRead(id, lastSeq);
  }

  #read(chatId: string): void {
    if (this.#unread.delete(chatId)) this.#deps.onChanged();
  }

  /** What fails is made good by the next mark. */
  #markRead(chatId: string, seq: number): void {
    this.#deps.client.markRead(chatId, seq).catch(() => {});
  }

  async #recount(chatId: string): Promise<void> {
    try {
      const { chat } = await this.#deps.client.call('getChat', { chatId });
      if (chat && chat.unreadCount > 0) this.#unread.set(chatId, chat.unreadCount);
      else this.#unread.delete(chatId);
      this.#deps.onChanged();
    } catch {
      // The number is an old one then, until the chat is entered.
    }
  }

  #startTyping(chatId: string, user: User): void {
    clearTimeout(this.#typing.get(user.id)?.timer);
    const timer = setTimeout(() => this.#stopTyping(user.id), typingMs);
    timer.unref();
    this.#typing.set(user.id, { user, chatId, timer });
    this.#deps.onChanged();
  }

  #stopTyping(userId: string): void {
    const typing = this.#typing.get(userId);
    if (!typing) return;
    clearTimeout(typing.timer);
    this.#typing.delete(userId);
    this.#deps.onChanged();
  }
}
