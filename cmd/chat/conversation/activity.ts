import type { Chat, ChatClient, User } from '../../../pkg/chat-client/index.ts';
import type { ChatDirectory } from './chat-directory.ts';

interface Deps {
  client: ChatClient;
  chats: ChatDirectory;
  /** Called when `summary` may have changed. */
  onChanged: () => void;
}

/** How long a user counts as typing after the last event, in milliseconds. */
const typingMs = 6_000;

/** Tracks the users who type in the current chat and the unread messages of other chats, and marks shown messages as read. */
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
    client.on('messageChanged', ({ chatId, deletedAt }) => {
      // It may have been one of the unread messages.
      if (deletedAt && this.#unread.has(chatId)) void this.#recount(chatId);
    });
    client.on('typing', ({ chatId, user }) => user && this.#startTyping(chatId, user));
    client.on('chatRemoved', ({ chatId }) => this.#read(chatId));
    client.on('read', ({ chatId, userId }) => {
      // The user read on another device: only the service knows how much is still unread.
      if (userId === this.#userId && this.#unread.has(chatId)) void this.#recount(chatId);
    });
  }

  /** The number of unread messages outside of the current chat. */
  get unread(): number {
    let sum = 0;
    for (const count of this.#unread.values()) sum += count;
    return sum;
  }

  /** The names of the users who are typing in the current chat. */
  get typing(): User[] {
    const { current } = this.#deps.chats;
    return [...this.#typing.values()].filter(({ chatId }) => chatId === current?.id).map(({ user }) => user);
  }

  /** Asks the service for unread messages. Returns the chats that have some. Throws what the client throws. */
  async load(): Promise<Chat[]> {
    const chats = await this.#deps.client.chats();
    const unread = chats.filter(({ id, unreadCount }) => unreadCount > 0 && id !== this.#deps.chats.current?.id);
    this.#unread.clear();
    for (const { id, unreadCount } of unread) this.#unread.set(id, unreadCount);
    this.#deps.onChanged();
    return unread;
  }

  /** To be called when a chat becomes the current one. */
  entered({ id, lastSeq }: Chat): void {
    this.#read(id);
    if (lastSeq > 0) this.#markRead(id, lastSeq);
  }

  #read(chatId: string): void {
    if (this.#unread.delete(chatId)) this.#deps.onChanged();
  }

  /** A failed mark needs no retry: the next one covers it. */
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
      // On failure the old number stays until the user enters the chat.
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
