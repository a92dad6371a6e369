import { type Chat, type ChatClient, isMentioned, type Message, type User } from '../../../pkg/chat-client/index.ts';
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
  /** Until when chats are muted: of these only mentions count. */
  readonly #muted = new Map<string, Date>();
  /** Chats of which the user has put messages off: they are not marked as read until the user enters them again. */
  readonly #setAside = new Set<string>();
  /** The user's own read marks, as they were told last. */
  readonly #marks = new Map<string, string>();
  readonly #typing = new Map<string, { user: User; chatId: string; timer: NodeJS.Timeout }>();
  #userId = '';

  constructor(deps: Deps) {
    this.#deps = deps;
    const { client, chats } = deps;
    client.on('state', (state) => {
      if (state.kind === 'online') this.#userId = state.user.id;
    });
    client.on('message', (message) => {
      const { chatId, sender, updateSeq } = message;
      this.#stopTyping(sender?.id ?? '');
      const isShown = chats.current?.id === chatId && !this.#setAside.has(chatId);
      if (isShown) return this.#markRead(chatId, updateSeq);
      if (!this.#counts(message)) return;
      this.#unread.set(chatId, (this.#unread.get(chatId) ?? 0) + 1);
      deps.onChanged();
    });
    client.on('messageChanged', ({ chatId, deletedAt }) => {
      // It may have been one of the unread messages, or one that mentions the user.
      const isMuted = this.#isMuted(chatId);
      if ((deletedAt && this.#unread.has(chatId)) || isMuted) void this.#recount(chatId);
    });
    client.on('typing', ({ chatId, user }) => user && this.#startTyping(chatId, user));
    client.on('chatRemoved', ({ chatId }) => this.#read(chatId));
    client.on('read', ({ chatId, userId, seq, generation }) => {
      if (userId !== this.#userId) return;
      const mark = `${generation} ${seq}`;
      // A mark that has not moved tells that the user has muted the chat on another device.
      const isMuting = this.#marks.get(chatId) === mark;
      this.#marks.set(chatId, mark);
      // The user read on another device: only the service knows how much is still unread.
      if (isMuting || this.#unread.has(chatId)) void this.#recount(chatId);
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
    for (const chat of chats) this.#noteMuted(chat);
    const unread = chats.filter((chat) => this.#countOf(chat) > 0 && chat.id !== this.#deps.chats.current?.id);
    this.#unread.clear();
    for (const chat of unread) this.#unread.set(chat.id, this.#countOf(chat));
    this.#deps.onChanged();
    return unread;
  }

  /** To be called when a chat becomes the current one. */
  entered({ id, lastSeq }: Chat): void {
    this.#setAside.delete(id);
    this.#read(id);
    if (lastSeq > 0) this.#markRead(id, lastSeq);
  }

  /** To be called when the user has marked messages of the chat as unread, or muted it. */
  setAside(chat: Chat): void {
    if (chat.unreadCount > 0 && chat.id === this.#deps.chats.current?.id) this.#setAside.add(chat.id);
    void this.#recount(chat.id);
  }

  /** Whether a new message is one that the user is told of. */
  #counts(message: Message): boolean {
    const { chatId, sender, system, silent, deletedAt } = message;
    if (system || silent || deletedAt || sender?.id === this.#userId) return false;
    return !this.#isMuted(chatId) || isMentioned(message, this.#userId);
  }

  #countOf({ id, unreadCount, mentionCount }: Chat): number {
    return this.#isMuted(id) ? mentionCount : unreadCount;
  }

  #isMuted(chatId: string): boolean {
    const until = this.#muted.get(chatId);
    return until !== undefined && until > new Date();
  }

  #noteMuted({ id, mutedUntil }: Chat): void {
    if (mutedUntil) this.#muted.set(id, mutedUntil);
    else this.#muted.delete(id);
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
      if (chat) this.#noteMuted(chat);
      if (chat && this.#countOf(chat) > 0) this.#unread.set(chatId, this.#countOf(chat));
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
