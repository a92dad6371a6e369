import {
  ChatClient,
  ChatRole,
  type ConnectionState,
  findMentions,
  isMentioned,
  type Mention,
  type Message,
  MessageStreaming,
  type PendingChange,
  type Transport,
  webStorageOutbox,
} from '../../../../pkg/chat-client/index.ts';
import { MemberNames } from '../mentions/member-names.ts';
import { Presence } from '../people/presence.ts';
import { ReadPositions } from '../people/read-positions.ts';
import { Typing } from '../people/typing.ts';
import { explain } from '../session/explain.ts';
import { sessionTokens } from '../session/session-tokens.ts';
import type { StoredSession } from '../session/stored-session.ts';
import { Store } from '../store/store.ts';
import { ChatList } from './chat-list.ts';
import { Conversation } from './conversation.ts';
import { isMuted } from './listed-chat.ts';

/** Maximum number of conversations in memory; the ones opened first are dropped first. */
const maxConversations = 10;

const notDone: Record<PendingChange['kind'], string> = {
  edit: 'An edit was not saved.',
  delete: 'A message was not deleted.',
  react: 'A reaction was not saved.',
  unreact: 'A reaction was not taken back.',
};

/** Everything that a signed-in user sees, kept up to date by one client. */
export class Workspace {
  readonly session: StoredSession;
  readonly client: ChatClient;
  readonly connection: Store<ConnectionState>;
  readonly chats: ChatList;
  readonly typing = new Typing();
  readonly presence: Presence;
  readonly readPositions: ReadPositions;
  readonly members: MemberNames;
  /** The last message of another user, for the announcer. */
  readonly heard = new Store<Message | undefined>(undefined);
  /** The last error, for the announcer. */
  readonly problem = new Store('');
  /** How long a text may be, as far as the service has said. */
  maxTextLength = 4_000;
  readonly #conversations = new Map<string, Conversation>();
  /** The ids of messages of others that grow. */
  readonly #growing = new Set<string>();

  constructor(transport: Transport, session: StoredSession) {
    const { userId } = session;
    this.session = session;
    this.client = new ChatClient({
      transport,
      token: sessionTokens(session),
      outbox: webStorageOutbox(localStorage, outboxKey(userId), window),
    });
    this.connection = new Store(this.client.state);
    this.chats = new ChatList(this.client, userId);
    this.presence = new Presence(this.client);
    this.readPositions = new ReadPositions(this.client, userId);
    this.members = new MemberNames(this.client);
    this.#listen();
    // The connection's state reports how it ends.
    this.client.connect().catch(() => {});
  }

  /** The chat's conversation; it is made when it is asked for first. */
  conversation(chatId: string): Conversation {
    const known = this.#conversations.get(chatId);
    const conversation = known ?? this.#open(chatId);
    this.#conversations.delete(chatId);
    this.#conversations.set(chatId, conversation);
    const tooMany = Math.max(0, this.#conversations.size - maxConversations);
    for (const { id } of [...this.#conversations.values()].filter(({ idle }) => idle).slice(0, tooMany)) {
      if (id !== chatId) this.#conversations.delete(id);
    }
    return conversation;
  }

  /** Moves the read mark; what comes of it is in the list of chats. Throws ChatClientError. */
  async markRead(chatId: string, seq: number): Promise<void> {
    this.chats.read(chatId, await this.client.markRead(chatId, seq));
  }

  /** Moves the read mark back to before this message. Throws ChatClientError. */
  async markUnread(chatId: string, fromSeq: number): Promise<void> {
    const mark = await this.client.markUnread(chatId, fromSeq);
    this.chats.read(chatId, mark);
    this.#conversations.get(chatId)?.setUnreadAfter(mark.readSeq);
  }

  /** Mutes the chat for some time, in milliseconds; 0 lifts it. Throws ChatClientError. */
  async mute(chatId: string, forMs: number): Promise<void> {
    const until = forMs > 0 ? new Date(Date.now() + forMs) : undefined;
    await this.client.mute(chatId, until);
    this.chats.muted(chatId, until);
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  #open(chatId: string): Conversation {
    const online = () => this.#online();
    const mentionsIn = (text: string) => this.#mentionsIn(chatId, text);
    return new Conversation(chatId, { client: this.client, ownId: this.session.userId, online, mentionsIn });
  }

  /** Whom a typed text mentions. Without an answer of the service it mentions nobody. */
  async #mentionsIn(chatId: string, text: string): Promise<Mention[]> {
    if (!text.includes('@')) return [];
    const users = await this.members.load(chatId).catch(() => []);
    const { ownRole = ChatRole.MEMBER } = this.chats.get(chatId) ?? {};
    return findMentions(text, users, { everyone: ownRole >= ChatRole.ADMIN });
  }

  #listen(): void {
    const { client, chats, typing, presence, readPositions } = this;
    client.on('state', (state) => {
      this.connection.set(state);
      if (state.kind !== 'online') return;
      this.maxTextLength = state.limits?.maxTextLength ?? this.maxTextLength;
      void Promise.allSettled([chats.load(), presence.load()]);
    });
    client.on('message', (message) => {
      const { chatId, sender } = message;
      if (sender) typing.end(chatId, sender.id);
      this.#hear(message);
      readPositions.receive(message);
      chats.receive(message);
      this.#conversations.get(chatId)?.receive(message);
    });
    client.on('reaction', (change) => this.#conversations.get(change.chatId)?.receiveReaction(change));
    client.on('messagePart', (part) => this.#conversations.get(part.chatId)?.receivePart(part));
    client.on('messageChanged', (message) => {
      if (this.#growing.delete(message.id)) this.#hear(message);
      chats.receiveChange(message);
      this.#conversations.get(message.chatId)?.receiveChange(message);
    });
    client.on('chatAdded', (chat) => chats.add(chat));
    client.on('chatRemoved', ({ chatId }) => {
      chats.remove(chatId);
      this.#conversations.delete(chatId);
    });
    client.on('reset', ({ chatId }) => {
      this.#conversations.get(chatId)?.reset();
      chats.forget(chatId);
      chats.load().catch(() => {});
    });
    client.on('typing', ({ chatId, user }) => typing.begin(chatId, user));
    client.on('presence', ({ user, online }) => presence.tell(user, online));
    client.on('read', ({ chatId, userId, seq, generation }) => {
      if (userId !== this.session.userId) return readPositions.tell(chatId, userId, seq, generation);
      chats.refresh(chatId).catch(() => {});
    });
    client.on('takenOver', (content) => this.#conversations.get(content.chatId)?.takeOver(content));
    client.on('sent', ({ chatId, clientMessageId }) => this.#conversations.get(chatId)?.sent(clientMessageId));
    client.on('changeSent', (change) => this.#conversations.get(change.chatId)?.changes.sent(change));
    client.on('changeRefused', (change) => {
      this.#conversations.get(change.chatId)?.changes.refused(change);
      this.problem.set(`${notDone[change.kind]} ${explain(change.error)}`);
    });
    client.on('refused', ({ chatId, clientMessageId, error }) => {
      this.#conversations.get(chatId)?.refused(clientMessageId, error);
      this.problem.set(`A message was not sent. ${explain(error)}`);
    });
  }

  /** Lets messages be announced of which the user is told, a growing one when it has ended. */
  #hear(message: Message): void {
    if (!this.#isTold(message)) return;
    if (message.streaming === MessageStreaming.STREAMING) this.#growing.add(message.id);
    else this.heard.set(message);
  }

  /** Whether the user is told of a new message: it is of somebody else, and the chat is not muted or it mentions the user. */
  #isTold(message: Message): boolean {
    const { chatId, sender, deletedAt, silent } = message;
    const { userId } = this.session;
    if (!sender || sender.id === userId || deletedAt || silent) return false;
    const chat = this.chats.get(chatId);
    return !chat || !isMuted(chat) || isMentioned(message, userId);
  }

  #online(): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (this.connection.value.kind !== 'online') return;
        stop();
        resolve();
      };
      const stop = this.connection.subscribe(check);
      check();
    });
  }
}

/** The outbox of the user's unanswered messages. */
export function outboxKey(userId: string): string {
  return `chat/outbox/${userId}`;
}
