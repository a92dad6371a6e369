import { type ChatClient, ChatClientError, type Message, newId } from '../../../../pkg/chat-client/index.ts';
import { explain } from '../session/explain.ts';
import { Store } from '../store/store.ts';
import { QuotedMessages } from './quoted-messages.ts';

export interface ThreadState {
  root: Message | undefined;
  /** The newest messages of the thread, in order. */
  messages: readonly Message[];
  hasOlder: boolean;
  following: boolean;
  problem: string | undefined;
}

const pageSize = 50;

/** The open thread: its newest messages, kept up to date by what the conversation hears. */
export class ThreadView {
  readonly chatId: string;
  readonly state = new Store<ThreadState>({
    root: undefined,
    messages: [],
    hasOlder: false,
    following: false,
    problem: undefined,
  });
  readonly quoted: QuotedMessages;
  readonly #client: ChatClient;
  /** Of the root, or of a message of the thread until the root is known. */
  #messageId: string;

  constructor(client: ChatClient, chatId: string, messageId: string) {
    this.#client = client;
    this.chatId = chatId;
    this.#messageId = messageId;
    this.quoted = new QuotedMessages(client);
    void this.load();
  }

  /** Reads the newest page, or with `older` the one before what is here. Never throws: the state holds the error. */
  async load(older = false): Promise<void> {
    try {
      const beforeSeq = older ? this.state.value.messages[0]?.seq : undefined;
      const page = await this.#client.listThread(this.chatId, this.#messageId, { pageSize, beforeSeq });
      const { root, messages, hasMore: hasOlder, following, referenced } = page;
      if (!root) return;
      this.#messageId = root.id;
      this.quoted.addPage(messages, [root, ...referenced]);
      const known = this.state.value.messages.reduce<readonly Message[]>(withMessage, messages);
      this.#change({ root, messages: known, hasOlder, following, problem: undefined });
      await this.#markRead();
    } catch (error) {
      this.#change({ problem: explain(error) });
    }
  }

  /** Handles a message that was sent to the chat, or the new state of one. */
  receive(message: Message): void {
    const { root, messages } = this.state.value;
    this.quoted.receiveChange(message);
    if (message.id === root?.id) return this.#change({ root: { ...message, thread: root.thread } });
    if (!root || message.rootId !== root.id) return;
    void this.quoted.addFor(message, (id) => [root, ...messages].find((one) => one.id === id));
    this.#change({ messages: withMessage(messages, message) });
    void this.#markRead();
  }

  /** Writes in the thread. Resolves with whether the service has stored it. */
  async send(text: string): Promise<boolean> {
    try {
      await this.#client.send(this.chatId, text, { root: this.#messageId, clientMessageId: newId() });
      // Who writes in a thread follows it.
      this.#change({ following: true, problem: undefined });
      return true;
    } catch (error) {
      this.#change({ problem: `Not sent. ${explain(error)}` });
      return false;
    }
  }

  async follow(following: boolean): Promise<void> {
    try {
      if (following) await this.#client.followThread(this.chatId, this.#messageId);
      else await this.#client.unfollowThread(this.chatId, this.#messageId);
      this.#change({ following, problem: undefined });
    } catch (error) {
      this.#change({ problem: explain(error) });
    }
  }

  async #markRead(): Promise<void> {
    const { following, messages } = this.state.value;
    const last = messages.at(-1);
    if (!following || !last) return;
    await this.#client.markThreadRead(this.chatId, this.#messageId, last.seq).catch((error: unknown) => {
      // Another page of the user follows it no more, or the service is away: the mark moves with the next message.
      if (!(error instanceof ChatClientError)) throw error;
    });
  }

  #change(change: Partial<ThreadState>): void {
    this.state.set({ ...this.state.value, ...change });
  }
}

/** Returns the messages with a newer state of one, or with one more in its place. Hidden messages are left out. */
function withMessage(messages: readonly Message[], message: Message): readonly Message[] {
  const others = messages.filter(({ id }) => id !== message.id);
  const known = messages.find(({ id }) => id === message.id);
  if (known && known.updateSeq >= message.updateSeq) return messages;
  if (message.hidden) return others;
  return [...others, message].toSorted((one, other) => one.seq - other.seq);
}
