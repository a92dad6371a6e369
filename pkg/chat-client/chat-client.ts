import type {
  Chat,
  FollowedThread,
  ListMentionsResponse,
  ListMessagesResponse,
  ListThreadResponse,
  MarkReadResponse,
  MarkThreadReadResponse,
  MarkUnreadResponse,
  Message,
  MessageReceipt,
  MessageVersion,
  Reaction,
  UpdateChatResponse,
  User,
} from '../api/chat/v1/chat.ts';
import { ChatType } from '../api/chat/v1/chat.ts';
import { TokenKeeper, type TokenSource } from './auth/token-source.ts';
import { type Answer, type Call, repeatingCalls } from './calls/repeating-calls.ts';
import { type ChatHandle, chatHandle } from './chat-handle.ts';
import { StreamClient } from './connection/stream-client.ts';
import { closedError, must } from './errors/chat-error.ts';
import type { AllEvents, ChatClientEvents, ConnectionState } from './events/chat-client-events.ts';
import { Emitter } from './events/emitter.ts';
import { newId } from './ids/new-id.ts';
import type { DeleteOptions, EditOptions } from './messages/change-options.ts';
import type { PendingChange } from './messages/pending-change.ts';
import type { PendingMessage } from './messages/pending-message.ts';
import type { ChangeReceipt, Receipt } from './messages/receipt.ts';
import type { SendOptions } from './messages/send-options.ts';
import type { StreamOptions } from './messages/stream-options.ts';
import { MessageFeed } from './reading/message-feed.ts';
import { allChats, allOnlineUsers, allReactions, allReceipts, allThreads, allVersions } from './reading/pages.ts';
import { ReadMarks } from './reading/read-marks.ts';
import { isChange } from './sending/durable-command.ts';
import { MessageStream } from './sending/message-stream.ts';
import type { Outbox } from './sending/outbox.ts';
import { sendTokens, type Tokens } from './sending/send-tokens.ts';
import type { ChatCalls, Transport } from './transports/transport.ts';

export interface ChatClientOptions {
  /** How the client reaches the service, for example `webSocketTransport(baseUrl)`. `close` closes it. */
  transport: Transport;
  /** Where the client gets access tokens, for example `account(username, password)`. */
  token: TokenSource;
  /** Maximum number of messages and changes that wait for an answer; `send`, `edit` and `delete` reject more. Default 10,000. */
  maxPendingSends?: number;
  /** The client reconnects if the service sends nothing for this many milliseconds. Default 15,000. */
  silenceMs?: number;
  /** Stores unanswered messages and changes so that they survive a reload or crash. By default they are only in memory. */
  outbox?: Outbox;
  /** Whether the client tells the service which messages it has received, at most every 3 seconds for a chat. Default true. */
  deliveredMarks?: boolean;
}

/**
 * A user's connection to the chat service. The client signs in, connects, and reconnects when the connection is lost. After a
 * reconnection it resumes each chat after the last number that it received, and sends unanswered messages and changes again with the same ids.
 * Each is delivered once and stored once.
 *
 * @example
 * const client = new ChatClient({ transport: webSocketTransport('http://localhost:8080'), token: guest('alice') });
 * await client.connect();
 * const room = await client.joinRoom('global');
 * const { seq } = await client.send(room.id, 'Hello!');
 * await client.close();
 */
export class ChatClient {
  readonly #transport: Transport;
  readonly #emitter = new Emitter<AllEvents>();
  readonly #closed = new AbortController();
  readonly #call: Call;
  readonly #session: StreamClient;
  readonly #readMarks: ReadMarks;

  constructor(options: ChatClientOptions) {
    const { transport, token, outbox } = options;
    const { maxPendingSends = 10_000, silenceMs = 15_000, deliveredMarks = true } = options;
    const { signal: closed } = this.#closed;
    const tokens = new TokenKeeper(token, transport.auth, closed);
    this.#transport = transport;
    this.#call = repeatingCalls({ transport, tokens, closed, onAnswer: (answer) => this.#note(answer) });
    this.#session = new StreamClient(
      { transport, tokens, closed, outbox, emitter: this.#emitter },
      { maxPendingSends, silenceMs, deliveredMarks },
    );
    this.#readMarks = new ReadMarks(this.#call);
    this.#emitter.on('read', ({ chatId, userId, generation }) => {
      if (this.state.kind === 'online' && userId === this.state.user.id) this.#readMarks.note(chatId, generation);
    });
  }

  /** The state of the connection. The event `state` announces each change. */
  get state(): ConnectionState {
    return this.#session.state;
  }

  /** The number of unanswered messages and changes. */
  get pendingSends(): number {
    return this.#session.sender.size;
  }

  /** The unanswered messages in the order of their `send` calls. Messages of the outbox are included once `connect` or `send` was called. */
  get pendingMessages(): readonly PendingMessage[] {
    return this.#session.sender.pending.flatMap((content) => (isChange(content) ? [] : [content]));
  }

  /** The unanswered edits, deletions and reactions in the order of their calls. Those of the outbox are included, as in `pendingMessages`. */
  get pendingChanges(): readonly PendingChange[] {
    return this.#session.sender.pending.filter(isChange);
  }

  /**
   * Calls the listener for each event with this name. Returns a function that removes the listener. An error that a listener throws is
   * reported as uncaught and does not affect other listeners.
   *
   * @example
   * const stop = client.on('message', ({ chatId, text }) => console.log(chatId, text));
   */
  on<Name extends keyof ChatClientEvents>(name: Name, listener: (event: ChatClientEvents[Name]) => void): () => void {
    return this.#emitter.on(name, listener as (event: AllEvents[Name]) => void);
  }

  /**
   * Connects, and keeps the client connected until `close`. Resolves with the signed-in user once the client is online. Rejects with
   * ChatClientError if retrying cannot help (for example, wrong credentials), if the client is closed, or, with `patient: false`, after the
   * first failed attempt; the client then still keeps trying until it is closed.
   */
  async connect({ patient = true }: { patient?: boolean } = {}): Promise<User> {
    this.#session.start();
    return new Promise((resolve, reject) => {
      const settle = (state: ConnectionState) => {
        if (state.kind === 'online') resolve(state.user);
        else if (state.kind === 'closed') reject(state.error ?? closedError());
        else if (state.kind === 'offline' && !patient) reject(state.error);
        else return;
        stop();
      };
      const stop = this.on('state', settle);
      settle(this.state);
    });
  }

  /**
   * Sends a message. Resolves once the service has stored it durably. Across reconnections the client sends the message again with the same
   * id until it is answered; the service stores it once. Messages to one chat are stored in the order of the `send` calls, except those that
   * the service refuses temporarily.
   *
   * Rejects with ChatClientError if the service refuses the message permanently (the event `refused` is emitted, too), if
   * `maxPendingSends` messages are unanswered or the outbox is full (RESOURCE_EXHAUSTED), and if the client is closed first (CANCELLED). With
   * an outbox, the next client sends messages that were unanswered when the client was closed.
   *
   * @example
   * const { messageId, seq } = await client.send(chatId, 'Hello!');
   * await client.send(chatId, 'Hello yourself!', { replyTo: messageId });
   */
  send(
    chatId: string,
    text: string,
    { clientMessageId = newId(), replyTo, root, ...options }: SendOptions = {},
  ): Promise<Receipt> {
    return this.#perform({ chatId, text, clientMessageId, replyToId: replyTo, rootId: root, ...options });
  }

  /**
   * Replaces the text of a message, and its data if that is given. Resolves once the service has stored the edit durably. Like a message, the
   * client sends it again until it is answered, keeps it in the outbox, and sends it in the order of the calls for a chat. An edit waits for the
   * answers to earlier changes of the same message.
   *
   * Rejects with ChatClientError in the same cases as `send`. Permanent refusals emit the event `changeRefused`, for example PERMISSION_DENIED
   * (NOT_THE_SENDER), NOT_FOUND (MESSAGE_NOT_FOUND), FAILED_PRECONDITION (MESSAGE_DELETED, TOO_LATE), ABORTED (VERSION_CONFLICT).
   *
   * @example
   * await client.edit(chatId, messageId, 'Hello, world!');
   */
  edit(
    chatId: string,
    messageId: string,
    text: string,
    { clientChangeId = newId(), ...options }: EditOptions = {},
  ): Promise<ChangeReceipt> {
    return this.#perform({ kind: 'edit', chatId, messageId, text, clientChangeId, ...options });
  }

  /**
   * Deletes the text of a message, and its earlier texts. Deleting a deleted message returns the answer to the first deletion. Otherwise as `edit`.
   *
   * @example
   * await client.delete(chatId, messageId);
   */
  delete(
    chatId: string,
    messageId: string,
    { hide = false, reason = '', ifVersion, clientChangeId = newId() }: DeleteOptions = {},
  ): Promise<ChangeReceipt> {
    return this.#perform({ kind: 'delete', chatId, messageId, clientChangeId, hide, reason, ifVersion });
  }

  /**
   * Adds the user's reaction to a message, an emoji. Resolves once the service has stored it durably, with `seq` 0 if the message has it already. The client
   * sends it again until it is answered, and keeps it in the outbox, as an edit. Rejects as `edit` does, also with RESOURCE_EXHAUSTED (REACTION_LIMIT).
   *
   * @example
   * await client.react(chatId, messageId, '👍');
   */
  react(chatId: string, messageId: string, emoji: string, { clientChangeId = newId() } = {}): Promise<ChangeReceipt> {
    return this.#perform({ kind: 'react', chatId, messageId, emoji, clientChangeId });
  }

  /**
   * Takes back the user's reaction to a message. Resolves with `seq` 0 if the message does not have it. Otherwise as `react`.
   *
   * @example
   * await client.unreact(chatId, messageId, '👍');
   */
  unreact(chatId: string, messageId: string, emoji: string, { clientChangeId = newId() } = {}): Promise<ChangeReceipt> {
    return this.#perform({ kind: 'unreact', chatId, messageId, emoji, clientChangeId });
  }

  /** Returns who reacted to a message, in the order of the reactions. Throws ChatClientError. */
  reactions(chatId: string, messageId: string): Promise<Reaction[]> {
    return allReactions(this.#call, chatId, messageId);
  }

  /**
   * Begins a message whose text is written piece by piece, while others read it: the answer of a language model, live captions. Returns a
   * `WritableStream` of strings: `close` completes the message, `abort` ends it as cancelled. Readers get a change for what was written within about 40 ms.
   * If the client is gone for a minute, the service ends the message as cancelled.
   *
   * @example
   * const writer = client.stream(chatId).getWriter();
   * await writer.write('Once upon ');
   * await writer.write('a time …');
   * await writer.close();
   */
  stream(chatId: string, { text = '', clientMessageId = newId() }: StreamOptions = {}): MessageStream {
    return new MessageStream({
      chatId,
      clientMessageId,
      text,
      maxFrameBytes: () => this.#session.limits?.maxFrameBytes ?? 0,
      perform: (command) => this.#session.streams.perform(command),
      onStopRequested: (listener) => this.on('stopRequested', listener),
    });
  }

  /**
   * Streams the texts of an iterable, for example the tokens of a language model, as one message. Resolves once the message is complete and stored durably.
   * If a member asks to stop it, iterates no further and ends the message as cancelled. If the iterable throws, ends the message as cancelled and throws
   * the same error. A function in place of the iterable gets a signal that aborts when a member asks to stop, for example for `fetch`.
   *
   * @example
   * await client.streamFrom(chatId, ['Once upon ', 'a time …']);
   */
  streamFrom(chatId: string, tokens: Tokens, options?: StreamOptions): Promise<Receipt> {
    return sendTokens(this.stream(chatId, options), tokens);
  }

  /**
   * Asks the sender of a streamed message to end it. The sender decides. Throws ChatClientError: FAILED_PRECONDITION (NOT_STREAMING) if the message has ended.
   */
  async stopStream(chatId: string, messageId: string): Promise<void> {
    await this.#call('stopMessage', { chatId, messageId });
  }

  /**
   * Makes any unary call of the contract, for example `client.call('getChat', { chatId })`. Retries temporary errors for up to 10 seconds,
   * except `createChat` for groups and rooms, which would not be safe to repeat. Throws ChatClientError.
   */
  call<Method extends keyof ChatCalls>(
    method: Method,
    request: Parameters<ChatCalls[Method]>[0],
  ): Promise<Awaited<ReturnType<ChatCalls[Method]>>> {
    return this.#call(method, request);
  }

  /**
   * Returns a handle for one chat. Does no I/O, and does not check that the chat exists.
   *
   * @example
   * const chat = client.chat(chatId);
   * for await (const message of chat.messages({ afterSeq: 0 })) console.log(message.seq, message.text);
   */
  chat(chatId: string): ChatHandle {
    const cursor = () => this.#session.cursor(chatId);
    const deps = { chatId, call: this.#call, emitter: this.#emitter, cursor };
    return chatHandle(this, chatId, (options) => new MessageFeed(deps, options, this.#closed.signal));
  }

  /**
   * Returns all of the user's chats, each with its last message and number of unread messages, most recently changed first. Throws
   * ChatClientError.
   */
  chats(): Promise<Chat[]> {
    return allChats(this.#call);
  }

  /**
   * Makes the user a member of the room with this name, and creates the room if it does not exist. Joining twice is harmless. Throws
   * ChatClientError: NOT_FOUND (ROOM_NOT_FOUND) if the service does not create rooms on joining, PERMISSION_DENIED (BANNED_FROM_CHAT).
   */
  async joinRoom(name: string): Promise<Chat> {
    return must((await this.#call('joinRoom', { name })).chat);
  }

  /** Returns the direct chat of the user and another user, and creates it if there is none. Throws ChatClientError. */
  async openDirect(userId: string): Promise<Chat> {
    return must((await this.#call('createChat', { type: ChatType.DIRECT, memberIds: [userId] })).chat);
  }

  /**
   * Changes the name, the description or the data of a group or room; fields that are absent stay as they are. Resolves with the number of the change; 0 if
   * nothing changed. Only administrators and owners of the chat may change it. Throws ChatClientError: ALREADY_EXISTS (ROOM_EXISTS),
   * FAILED_PRECONDITION (CHAT_IS_DIRECT), PERMISSION_DENIED (ROLE_TOO_LOW).
   *
   * @example
   * const { seq } = await client.updateChat(chatId, { description: 'All about tea', data: { colour: 'green' } });
   */
  updateChat(
    chatId: string,
    fields: { name?: string; description?: string; data?: Record<string, unknown> },
  ): Promise<UpdateChatResponse> {
    return this.#call('updateChat', { chatId, clientChangeId: newId(), ...fields });
  }

  /**
   * Returns one page of a chat's messages in ascending order of `seq`: the newest messages, or with `beforeSeq` the newest ones with a
   * smaller `seq`. `pageSize` is 50 by default. Throws ChatClientError.
   */
  async history(chatId: string, options: { beforeSeq?: number; pageSize?: number } = {}): Promise<Message[]> {
    return (await this.#call('listMessages', { chatId, ...options })).messages;
  }

  /**
   * As `history`, with what a reader needs besides: `referenced` has the messages that those of the page reply to and that are not in the page, and
   * `hasMore` says whether the chat has earlier ones. Throws ChatClientError.
   */
  historyPage(chatId: string, options: { beforeSeq?: number; pageSize?: number } = {}): Promise<ListMessagesResponse> {
    return this.#call('listMessages', { chatId, ...options });
  }

  /**
   * Returns one page of a thread, whose first message is `root`: its newest messages, or those around a number. `messageId` may be of any message of the
   * thread. Throws ChatClientError.
   *
   * @example
   * const { root, messages } = await client.listThread(chatId, messageId);
   */
  listThread(
    chatId: string,
    messageId: string,
    options: { beforeSeq?: number; afterSeq?: number; pageSize?: number } = {},
  ): Promise<ListThreadResponse> {
    return this.#call('listThread', { chatId, messageId, ...options });
  }

  /**
   * Follows a thread: `threads` then lists it. A user who sends a message of a thread follows it, and so does who sent its first message. Following twice is
   * harmless. Throws ChatClientError.
   */
  async followThread(chatId: string, messageId: string): Promise<void> {
    await this.#call('followThread', { chatId, messageId });
  }

  /** Ends following, until the user sends another message of the thread. Throws ChatClientError. */
  async unfollowThread(chatId: string, messageId: string): Promise<void> {
    await this.#call('unfollowThread', { chatId, messageId });
  }

  /**
   * Moves the user's read mark in a thread that the user follows forward to `seq`. Resolves with the mark and the number of unread messages. Throws
   * ChatClientError: FAILED_PRECONDITION (THREAD_NOT_FOLLOWED).
   */
  markThreadRead(chatId: string, messageId: string, seq: number): Promise<MarkThreadReadResponse> {
    return this.#call('markThreadRead', { chatId, messageId, seq });
  }

  /** Returns all threads that the user follows, or those of one chat, each with its `unreadCount`: those with the newest messages first. Throws ChatClientError. */
  threads(chatId?: string): Promise<FollowedThread[]> {
    return allThreads(this.#call, chatId);
  }

  /**
   * Returns the earlier texts of a message, oldest first; only if the service keeps them, and only for administrators and owners of the chat.
   * Throws ChatClientError.
   */
  versions(chatId: string, messageId: string): Promise<MessageVersion[]> {
    return allVersions(this.#call, chatId, messageId);
  }

  /**
   * Moves the user's read mark in a chat forward to `seq`; all of the user's devices share the mark. Resolves with the mark and the number of
   * unread messages. It is cheap to call for each message: while one call for a chat is under way, later calls are combined into one. Throws
   * ChatClientError: OUT_OF_RANGE (CURSOR_IN_FUTURE) if `seq` is greater than the chat's last number.
   *
   * If another device has moved the mark back (`markUnread`) and this client has not heard of it yet, the mark stays there.
   */
  markRead(chatId: string, seq: number): Promise<MarkReadResponse> {
    this.#session.hasRead(chatId, seq);
    return this.#readMarks.mark(chatId, seq);
  }

  /**
   * Moves the user's read mark in a chat back, so that the message with the number `fromSeq` and all later ones are unread on all of the user's devices.
   * Throws ChatClientError: OUT_OF_RANGE (CURSOR_IN_FUTURE) if `fromSeq` is greater than the chat's last number.
   *
   * @example
   * const { unreadCount } = await client.markUnread(chatId, message.seq);
   */
  markUnread(chatId: string, fromSeq: number): Promise<MarkUnreadResponse> {
    return this.#readMarks.moveBack(chatId, fromSeq);
  }

  /**
   * Returns the members that have received a message, and whether each has read it, in ascending order of their ids. Throws ChatClientError:
   * FAILED_PRECONDITION (CHAT_TOO_LARGE) in chats with many members.
   *
   * @example
   * const readers = (await client.receipts(chatId, messageId)).filter(({ read }) => read).map(({ user }) => user?.name);
   */
  receipts(chatId: string, messageId: string): Promise<MessageReceipt[]> {
    return allReceipts(this.#call, chatId, messageId);
  }

  /**
   * Returns one page of the messages that mention the user, newest first, of all of the user's chats: the newest, or those after a page, by its
   * `nextPageToken`, which is empty on the last page. Throws ChatClientError.
   *
   * @example
   * const { messages, nextPageToken } = await client.mentions();
   */
  mentions(options: { pageSize?: number; pageToken?: string } = {}): Promise<ListMentionsResponse> {
    return this.#call('listMentions', options);
  }

  /**
   * Sets until when the user does not want to be notified of a chat (`Chat.mutedUntil`); without a time the chat is not muted any more. Messages are
   * delivered and counted as before. Throws ChatClientError.
   *
   * @example
   * await client.mute(chatId, new Date(Date.now() + 8 * 60 * 60 * 1_000));
   */
  async mute(chatId: string, until?: Date): Promise<void> {
    await this.#call('muteChat', { chatId, until });
  }

  /**
   * Announces to the other members of a chat that the user is typing. May be called for each keystroke: the client sends at most one
   * announcement per chat every 3 seconds. Does nothing while offline. Never throws.
   */
  typing(chatId: string): void {
    this.#session.tellTyping(chatId);
  }

  /** Returns the users that have an open stream, in ascending order of their ids; with `chatId` only that chat's members. Throws ChatClientError. */
  onlineUsers(chatId?: string): Promise<User[]> {
    return allOnlineUsers(this.#call, chatId);
  }

  /**
   * Closes the connection permanently, rejects unanswered sends and changes with CANCELLED, ends message feeds, and closes the transport. Calling it twice
   * is harmless.
   */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#session.end();
    this.#transport.close();
  }

  /** An answer may be ahead of the stream, which has to know what the client has seen of a chat. */
  #note({ chat, chats = chat ? [chat] : [], message, messages = [], root, referenced = [] }: Answer): void {
    for (const { id, joinedSeq, lastSeq, readGeneration } of chats) {
      this.#readMarks.note(id, readGeneration);
      if (joinedSeq > 0) this.#session.joined(id);
      this.#session.saw(id, lastSeq);
    }
    const all = [message, root, ...messages, ...referenced].filter((one) => one !== undefined);
    for (const { chatId, seq, updateSeq } of all) this.#session.saw(chatId, Math.max(seq, updateSeq));
  }

  #perform(content: PendingMessage | PendingChange): Promise<Receipt> {
    if (this.state.kind === 'closed') return Promise.reject(closedError());
    return this.#session.sender.perform(content);
  }
}
