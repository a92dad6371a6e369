import {
  type Chat,
  type ChatClient,
  type Mention,
  type Message,
  type MessagePart,
  newId,
  type PendingChange,
  type PendingMessage,
  type ReactionChanged,
  withReply,
} from '../../../../pkg/chat-client/index.ts';
import { explain } from '../session/explain.ts';
import { Store } from '../store/store.ts';
import type { ConversationState } from './conversation-state.ts';
import { drawn } from './drawn.ts';
import { mayEdit } from './may-change.ts';
import {
  emptyWindow,
  lastSeq,
  type MessageWindow,
  maxMessages,
  trimmed,
  withChange,
  withGrowth,
  withNewer,
  withOlder,
  withReacted,
  withSent,
  withThread,
} from './message-window.ts';
import { type Outgoing, toOutgoing, withoutCommitted, withState } from './outgoing.ts';
import { OwnChanges } from './own-changes.ts';
import { QuotedMessages } from './quoted-messages.ts';
import { ThreadView } from './thread-view.ts';

interface Deps {
  client: ChatClient;
  ownId: string;
  /** Resolves once the client receives every later event. */
  online: () => Promise<void>;
  /** Returns whom a typed text mentions. Never throws. */
  mentionsIn: (text: string) => Promise<Mention[]>;
}

const pageSize = 50;
const maxPageSize = 200;

type Loading = 'newest' | 'older' | 'newer';

/** One chat's messages: a window that moves over the history, and what is being sent. */
export class Conversation {
  readonly id: string;
  readonly state: Store<ConversationState>;
  /** The text in the composer. */
  draft = '';
  /** The user's edits and deletions. */
  readonly changes: OwnChanges;
  /** The message that the next one replies to. */
  readonly replying = new Store<Message | undefined>(undefined);
  /** What the messages here reply to. */
  readonly quoted: QuotedMessages;
  /** The thread that is open. */
  readonly thread = new Store<ThreadView | undefined>(undefined);
  /** Whether the reader is at the end, and older messages may be dropped. */
  following = true;
  readonly #deps: Deps;
  #loading: Loading | undefined;
  /** Settles when the texts that mention somebody have been handed over. */
  #naming: Promise<void> | undefined;
  /** Counts how often the newest page was asked for: any other that is on its way then comes too late. */
  #generation = 0;
  /** The epoch of the numbers in the window; empty if it is not known. */
  #epoch = '';
  /** How often the service's database has gone back. */
  #resets = 0;
  /** What arrives while a page is being read: the page may be older. */
  #heardMeanwhile: ((window: MessageWindow) => MessageWindow)[] = [];

  constructor(id: string, deps: Deps) {
    this.id = id;
    this.#deps = deps;
    const pending = deps.client.pendingMessages.filter(({ chatId }) => chatId === id);
    this.state = new Store<ConversationState>({
      window: emptyWindow,
      outgoing: pending.map(toOutgoing),
      loaded: false,
      problem: undefined,
      shift: false,
      unreadAfter: undefined,
    });
    this.quoted = new QuotedMessages(deps.client);
    this.changes = new OwnChanges({
      chatId: id,
      client: deps.client,
      onChange: (message) => this.receiveChange(message),
      mentionsIn: deps.mentionsIn,
      find: (messageId) => this.state.value.window.messages.find((one) => one.id === messageId),
    });
  }

  /** Whether the conversation can be dropped without losing anything. */
  get idle(): boolean {
    return this.draft === '' && this.state.value.outgoing.length === 0 && this.changes.state.value.size === 0;
  }

  /** The reader opens the conversation at its end, or at the first unread message as far as a page reaches back. */
  enter({ unreadCount, readSeq, joinedSeq }: Chat): void {
    const { loaded, window } = this.state.value;
    this.following = true;
    if (unreadCount > 0) this.#change({ unreadAfter: Math.max(readSeq, joinedSeq) });
    if (!loaded || window.hasNewer) void this.loadNewest(unreadCount);
  }

  /** Repeats the requests that failed without a connection. */
  recover(): void {
    if (this.state.value.problem !== undefined) void this.loadNewest();
  }

  /** Reads the newest messages, at least `atLeast`. Never throws: the state holds the error. */
  async loadNewest(atLeast = 0): Promise<void> {
    if (this.#loading === 'newest') return;
    this.#generation += 1;
    this.#beginLoading('newest');
    this.#change({ problem: undefined });
    try {
      await this.#deps.online();
      const size = Math.min(Math.max(pageSize, atLeast + 10), maxPageSize);
      const page = await this.#newestPage(size);
      this.#epoch = page.epoch;
      this.quoted.addPage(page.messages, page.referenced);
      const newest: MessageWindow = { messages: page.messages, hasOlder: page.hasMore, hasNewer: false };
      this.following = true;
      this.#change({ loaded: true, window: this.#withHeard(newest), shift: false });
    } catch (error) {
      this.#change({ problem: explain(error) });
    } finally {
      this.#loading = undefined;
    }
  }

  /** The service's database has gone back: what is here may be lost, and so may be what a page brings that was asked for before. */
  reset(): void {
    this.#resets += 1;
    this.#heardMeanwhile = [];
    void this.loadNewest();
  }

  /** Reads the messages from the first unread one on, if older ones than those in the window are unread. */
  async loadUnread(): Promise<void> {
    const { window, unreadAfter } = this.state.value;
    const first = window.messages[0]?.seq ?? 0;
    if (unreadAfter === undefined || !window.hasOlder || first <= unreadAfter || this.#loading) return;
    const join = (_: MessageWindow, messages: readonly Message[], hasMore: boolean): MessageWindow => ({
      messages: [...messages],
      hasOlder: unreadAfter > 0,
      hasNewer: hasMore,
    });
    this.following = false;
    await this.#loadPage('newer', { afterSeq: unreadAfter }, join);
  }

  async loadOlder(): Promise<void> {
    const { window, loaded } = this.state.value;
    const beforeSeq = window.messages[0]?.seq;
    if (this.#loading || !loaded || !window.hasOlder || beforeSeq === undefined) return;
    await this.#loadPage('older', { beforeSeq }, withOlder);
  }

  async loadNewer(): Promise<void> {
    const { window, loaded } = this.state.value;
    if (this.#loading || !loaded || !window.hasNewer) return;
    await this.#loadPage('newer', { afterSeq: lastSeq(window) }, withNewer);
  }

  /** Adds a message that was sent. */
  receive(message: Message): void {
    void this.quoted.addFor(message, (id) => this.#find(id));
    this.thread.value?.receive(message);
    this.#countInThread(message);
    if (this.#loading) this.#heardMeanwhile.push((window) => withSent(window, message));
    const { window } = this.state.value;
    const next = withSent(window, message);
    const tooMany = next.messages.length > maxMessages + pageSize;
    if (tooMany && !this.following) return this.#change({ window: { ...window, hasNewer: true }, shift: false });
    this.#change({ window: next, shift: false });
    // A page on its way joins on to what is here.
    if (tooMany && !this.#loading) this.#change({ window: trimmed(next, 'oldest'), shift: true });
  }

  /** Replaces a message that was edited or deleted, if it is in the window. */
  receiveChange(message: Message): void {
    this.quoted.receiveChange(message);
    this.thread.value?.receive(message);
    if (message.id === this.replying.value?.id) this.replying.set(message.deletedAt ? undefined : message);
    this.#countInThread(message, this.#find(message.id));
    if (this.#loading) this.#heardMeanwhile.push((window) => withChange(window, message));
    const { window, outgoing } = this.state.value;
    if (message.hidden) this.changes.drop(message.id);
    // A message that was hidden before it was heard never joins the others.
    const left = message.hidden ? withoutCommitted(outgoing, [message], this.#deps.ownId) : outgoing;
    const next = withChange(window, message);
    if (next !== window || left !== outgoing) this.#change({ window: next, outgoing: left, shift: false });
  }

  /** Adds a part to a growing message, if it is in the window. */
  receivePart(part: MessagePart): void {
    if (this.#loading) this.#heardMeanwhile.push((window) => withGrowth(window, part));
    const { window } = this.state.value;
    const next = withGrowth(window, part);
    if (next !== window) this.#change({ window: next, shift: false });
  }

  /** Adds a reaction to a message, or takes it away, if the message is in the window. */
  receiveReaction(change: ReactionChanged): void {
    const { ownId } = this.#deps;
    if (this.#loading) this.#heardMeanwhile.push((window) => withReacted(window, change, ownId));
    const { window } = this.state.value;
    const next = withReacted(window, change, ownId);
    if (next !== window) this.#change({ window: next, shift: false });
  }

  /** Adds the user's reaction to a message, or takes it back. A refusal is told by an event of the client. */
  react(messageId: string, emoji: string, added: boolean): void {
    const chat = this.#deps.client.chat(this.id);
    (added ? chat.react(messageId, emoji) : chat.unreact(messageId, emoji)).catch(() => {});
  }

  /** Asks the sender of a growing message to end it. Throws ChatClientError. */
  stop(messageId: string): Promise<void> {
    return this.#deps.client.stopStream(this.id, messageId);
  }

  /** Opens the thread of a message, or of the thread that the message is in. */
  openThread(message: Message): void {
    this.thread.set(new ThreadView(this.#deps.client, this.id, message.rootId || message.id));
  }

  /** Sends a text, as a reply if there is a message to reply to. The state shows the outcome. */
  send(text: string): void {
    const { outgoing, window } = this.state.value;
    const replying = this.replying.value;
    const clientMessageId = newId();
    // A reply to a message of a thread stays in the thread.
    const sent = toOutgoing({ text, clientMessageId, replyToId: replying?.id, rootId: replying?.rootId || undefined });
    this.replying.set(undefined);
    this.#change({ outgoing: [...outgoing, sent] });
    this.#send(sent);
    if (window.hasNewer) void this.loadNewest();
  }

  /** Sends again what failed, after everything else. */
  retry(id: string): void {
    const { outgoing } = this.state.value;
    const failed = outgoing.find(({ clientMessageId }) => clientMessageId === id);
    if (failed?.state !== 'failed') return;
    const others = outgoing.filter((one) => one !== failed);
    this.#change({ outgoing: [...others, { ...failed, at: new Date(), state: 'sending', problem: undefined }] });
    this.#send(failed);
  }

  discard(id: string): void {
    this.#change({ outgoing: this.state.value.outgoing.filter(({ clientMessageId }) => clientMessageId !== id) });
  }

  /** Opens the editor of the user's last message, if the user may edit one that is loaded. Returns whether there is one. */
  editLast(chat: Chat): boolean {
    const { ownId } = this.#deps;
    const last = this.state.value.window.messages.findLast((message) => mayEdit(message, chat, ownId));
    if (last) this.changes.begin(last);
    return last !== undefined;
  }

  /** Shows what another tab of the user has left, which this one sends. */
  takeOver(content: PendingMessage | PendingChange): void {
    if ('kind' in content) return this.changes.takeOver(content);
    this.#change({ outgoing: [...this.state.value.outgoing, toOutgoing(content)] });
  }

  /** Handles that the service stored a message of this user durably, also one that was sent before a reload. */
  sent(id: string): void {
    this.#change({ outgoing: withState(this.state.value.outgoing, id, { state: 'sent' }) });
  }

  refused(id: string, error: unknown): void {
    const change = { state: 'failed', problem: explain(error) } as const;
    this.#change({ outgoing: withState(this.state.value.outgoing, id, change) });
  }

  /** The user has marked the messages after this number as unread. */
  setUnreadAfter(seq: number): void {
    this.#change({ unreadAfter: seq });
  }

  /** The reader left the conversation: its messages no longer count as new. */
  left(): void {
    this.#change({ unreadAfter: undefined });
  }

  #send({ clientMessageId, text, replyTo, root }: Outgoing): void {
    const { client, mentionsIn } = this.#deps;
    const send = (mentions: Mention[]) => {
      // The client tells of success and refusal by events, too, but not when it has no room or is closed.
      client
        .send(this.id, text, { clientMessageId, mentions, replyTo, root })
        .catch((error: unknown) => this.refused(clientMessageId, error));
    };
    if (!this.#naming && !text.includes('@')) return send([]);
    // Later texts wait for the names of earlier ones, so that the order stays.
    const naming = (this.#naming ?? Promise.resolve()).then(() => mentionsIn(text)).then(send);
    this.#naming = naming;
    void naming.then(() => {
      if (this.#naming === naming) this.#naming = undefined;
    });
  }

  #find(messageId: string): Message | undefined {
    return this.state.value.window.messages.find(({ id }) => id === messageId);
  }

  /** Keeps the summary on the root of a message's thread. `before`: its state here until now. */
  #countInThread(message: Message, before?: Message): void {
    if (message.rootId === '') return;
    const count = (window: MessageWindow) =>
      withThread(window, message.rootId, (thread) => {
        const next = withReply(thread, message, before);
        if (next !== 'outdated') return next;
        void this.#readThread(message);
        return thread;
      });
    if (this.#loading) this.#heardMeanwhile.push(count);
    const { window } = this.state.value;
    const counted = count(window);
    if (counted !== window) this.#change({ window: counted, shift: false });
  }

  /** Asks for the summary that events do not tell. */
  async #readThread({ rootId: messageId, chatId }: Message): Promise<void> {
    try {
      const { message: root } = await this.#deps.client.call('getMessage', { chatId, messageId });
      const window = withThread(this.state.value.window, messageId, (thread) => root?.thread ?? thread);
      this.#change({ window, shift: false });
    } catch {
      // The next page brings it.
    }
  }

  async #newestPage(size: number) {
    for (;;) {
      const resets = this.#resets;
      const page = await this.#deps.client.call('listMessages', { chatId: this.id, pageSize: size });
      if (resets === this.#resets) return page;
    }
  }

  #withHeard(window: MessageWindow): MessageWindow {
    return this.#heardMeanwhile.reduce((before, heard) => heard(before), window);
  }

  #beginLoading(what: Loading): void {
    this.#loading = what;
    this.#heardMeanwhile = [];
  }

  async #loadPage(
    direction: 'older' | 'newer',
    range: { beforeSeq: number } | { afterSeq: number },
    join: typeof withOlder,
  ): Promise<void> {
    this.#beginLoading(direction);
    const generation = this.#generation;
    const overtaken = () => generation !== this.#generation;
    try {
      const page = await this.#deps.client.call('listMessages', { chatId: this.id, pageSize, ...range });
      if (overtaken()) return;
      // Numbers of two epochs do not belong together. The service may not have told yet.
      if (page.epoch && this.#epoch && page.epoch !== this.#epoch) return this.reset();
      this.quoted.addPage(page.messages, page.referenced);
      const joined = join(this.state.value.window, page.messages, page.hasMore);
      const window = this.#withHeard(joined);
      this.#change({ window, shift: direction === 'older', problem: undefined });
    } catch (error) {
      if (!overtaken()) this.#change({ problem: explain(error) });
    } finally {
      if (!overtaken()) this.#loading = undefined;
    }
    await drawn();
    const [end, atEnd] = direction === 'older' ? (['newest', 'newer'] as const) : (['oldest', 'older'] as const);
    if (overtaken() || this.#loading === atEnd) return;
    this.#change({ window: trimmed(this.state.value.window, end), shift: direction === 'newer' });
  }

  #change(change: Partial<ConversationState>): void {
    const next = { ...this.state.value, ...change };
    this.state.set({ ...next, outgoing: withoutCommitted(next.outgoing, next.window.messages, this.#deps.ownId) });
  }
}
