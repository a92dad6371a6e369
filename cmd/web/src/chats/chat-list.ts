import {
  type Chat,
  type ChatClient,
  isMentioned,
  type MarkReadResponse,
  type Message,
} from '../../../../pkg/chat-client/index.ts';
import { Meanwhile } from '../store/meanwhile.ts';
import { Store } from '../store/store.ts';
import { isNewerMark, type ListedChat, newerOf, toListed, withChange, withMessage } from './listed-chat.ts';

type Chats = readonly ListedChat[];

/** Something that happened to the chats. Doing it twice, or to chats that include it already, changes nothing. */
type Happening = (chats: Chats) => Chats;

/** The user's chats, the one with the newest message first, each with its last message and how much is unread. */
export class ChatList {
  /** Undefined until it has been read. */
  readonly state = new Store<Chats | undefined>(undefined);
  readonly #client: ChatClient;
  readonly #ownId: string;
  readonly #meanwhile = new Meanwhile<Happening>();
  /** The chats whose last messages are being read. */
  readonly #readingLast = new Set<string>();

  constructor(client: ChatClient, ownId: string) {
    this.#client = client;
    this.#ownId = ownId;
  }

  get(chatId: string): ListedChat | undefined {
    return this.state.value?.find(({ id }) => id === chatId);
  }

  /** Reads all of them. Throws ChatClientError. */
  async load(): Promise<void> {
    await this.#meanwhile.during(
      () => this.#client.chats(),
      (chats, happened) => {
        const read = applied(happened, chats.map(toListed));
        this.#set(read.map((chat) => newerOf(chat, this.get(chat.id))));
      },
    );
  }

  /** Reads one of them anew. Throws ChatClientError. */
  async refresh(chatId: string): Promise<void> {
    await this.#meanwhile.during(
      () => this.#client.call('getChat', { chatId }),
      ({ chat }, happened) => {
        const [read] = applied(happened, chat ? [toListed(chat)] : []);
        if (read) this.#happened((chats) => changed(chats, chatId, (known) => newerOf(withLastOf(read, known), known)));
      },
    );
  }

  /** The user became a member of the chat, or made it. */
  add(chat: Chat): void {
    this.#happened((chats) => {
      const known = chats.find(({ id }) => id === chat.id);
      const added = toListed(chat);
      return known ? changed(chats, chat.id, () => newerOf(withLastOf(added, known), known)) : [...chats, added];
    });
  }

  remove(chatId: string): void {
    this.#happened((chats) => chats.filter(({ id }) => id !== chatId));
  }

  /** Handles a message that was sent. */
  receive(message: Message): void {
    this.#happened((chats) => changed(chats, message.chatId, (chat) => withMessage(chat, message, this.#ownId)));
  }

  /** Handles a message that was edited or deleted. */
  receiveChange(message: Message): void {
    this.#happened((chats) => changed(chats, message.chatId, (chat) => withChange(chat, message, this.#ownId)));
    const chat = this.get(message.chatId);
    // Whom the message mentioned before is not known here: the service counts.
    const mayMention = chat && (chat.mentionCount > 0 || isMentioned(message, this.#ownId));
    if (mayMention && message.seq > chat.readSeq) this.refresh(chat.id).catch(() => {});
  }

  /** The user's read mark moved, on this device or another one. */
  read(chatId: string, mark: MarkReadResponse): void {
    this.#happened((chats) =>
      changed(chats, chatId, (chat) => (isNewerMark(mark, chat) ? { ...chat, ...mark } : chat)),
    );
  }

  /** The user has muted the chat, or lifted that. */
  muted(chatId: string, mutedUntil: Date | undefined): void {
    this.#happened((chats) => changed(chats, chatId, (chat) => ({ ...chat, mutedUntil })));
  }

  /** Forgets up to which number the chat is known, because the service has lost some; `load` then takes the service's state. */
  forget(chatId: string): void {
    this.#change(chatId, (chat) => ({ ...chat, lastSeq: 0, readSeq: 0, readGeneration: 0, lastMessageSeq: 0 }));
  }

  #happened(happening: Happening): void {
    this.#meanwhile.happened(happening);
    if (this.state.value) this.#set(happening(this.state.value));
  }

  #change(chatId: string, change: (chat: ListedChat) => ListedChat): void {
    if (this.state.value) this.#set(changed(this.state.value, chatId, change));
  }

  #set(chats: Chats): void {
    if (chats === this.state.value) return;
    this.state.set(sorted(chats));
    for (const { id, lastMessage } of chats) if (lastMessage?.hidden) void this.#readLast(id);
  }

  /** Reads which message is the last one after the last one was hidden. */
  async #readLast(chatId: string): Promise<void> {
    if (this.#readingLast.has(chatId)) return;
    this.#readingLast.add(chatId);
    try {
      for (;;) {
        const asOf = this.get(chatId)?.lastMessageSeq;
        const { messages } = await this.#client.call('listMessages', { chatId, pageSize: 1 });
        const now = this.get(chatId);
        if (!now?.lastMessage?.hidden) return;
        // What happened meanwhile may not be in the answer.
        if (now.lastMessageSeq !== asOf) continue;
        return this.#change(chatId, (chat) => ({ ...chat, lastMessage: messages.at(-1) }));
      }
    } catch {
      // The list then shows no text for this chat until its next message or the next `load`.
    } finally {
      this.#readingLast.delete(chatId);
    }
  }
}

function changed(chats: Chats, chatId: string, change: (chat: ListedChat) => ListedChat): Chats {
  const index = chats.findIndex(({ id }) => id === chatId);
  if (index < 0) return chats;
  const next = change(chats[index]!);
  return next === chats[index] ? chats : chats.with(index, next);
}

function applied(happened: readonly Happening[], chats: Chats): Chats {
  return happened.reduce((before, happening) => happening(before), chats);
}

/** Only lists of chats tell the last message: other answers leave the one that is known. */
function withLastOf(chat: ListedChat, { lastMessage, lastMessageSeq }: ListedChat): ListedChat {
  return { ...chat, lastMessage, lastMessageSeq };
}

function sorted(chats: Chats): Chats {
  const changedAt = ({ lastMessage, createdAt }: Chat) => (lastMessage?.createdAt ?? createdAt)?.getTime() ?? 0;
  return chats.toSorted((one, other) => changedAt(other) - changedAt(one));
}
