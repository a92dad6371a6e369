import type { Chat, MarkReadResponse, Message, User } from '../api/chat/v1/chat.ts';
import { ChatType } from '../api/chat/v1/chat.ts';
import { TokenKeeper, type TokenSource } from './auth/token-source.ts';
import { type Call, repeatingCalls } from './calls/repeating-calls.ts';
import { type ChatHandle, chatHandle } from './chat-handle.ts';
import { StreamClient } from './connection/stream-client.ts';
import { closedError, must } from './errors/chat-error.ts';
import type { AllEvents, ChatClientEvents, ConnectionState } from './events/chat-client-events.ts';
import { Emitter } from './events/emitter.ts';
import { newId } from './ids/new-id.ts';
import type { PendingMessage } from './messages/pending-message.ts';
import type { Receipt } from './messages/receipt.ts';
import { MessageFeed } from './reading/message-feed.ts';
import { allChats, allOnlineUsers } from './reading/pages.ts';
import { ReadMarks } from './reading/read-marks.ts';
import { sendMessage } from './sending/durable-command.ts';
import type { Outbox } from './sending/outbox.ts';
import type { ChatCalls, Transport } from './transports/transport.ts';

export interface ChatClientOptions {
  transport: Transport;
  token: TokenSource;
  /** Sends that may be without an answer at the same time; `send` refuses more. Default 10,000. */
  maxPendingSends?: number;
  /** After so long without a word from the service the connection is given up, in milliseconds. Default 15,000. */
  silenceMs?: number;
  /** Keeps messages without an answer over a reload or crash. Default: none. */
  outbox?: Outbox;
}

/**
 * A user's connection to the chat service. It signs in, connects, and comes back by itself when the connection is lost: it then
 * resumes each chat after the last message that it has seen, and sends again what was not answered.
 */
export class ChatClient {
  readonly #transport: Transport;
  readonly #emitter = new Emitter<AllEvents>();
  readonly #closed = new AbortController();
  readonly #call: Call;
  readonly #session: StreamClient;
  readonly #readMarks: ReadMarks;

  constructor({ transport, token, maxPendingSends = 10_000, silenceMs = 15_000, outbox }: ChatClientOptions) {
    const { signal: closed } = this.#closed;
    const tokens = new TokenKeeper(token, transport.auth, closed);
    this.#transport = transport;
    this.#call = repeatingCalls(transport, tokens, closed);
    this.#session = new StreamClient(
      { transport, tokens, closed, outbox, emitter: this.#emitter },
      { maxPendingSends, silenceMs },
    );
    this.#readMarks = new ReadMarks(this.#call);
  }

  get state(): ConnectionState {
    return this.#session.state;
  }

  /** How many messages have no answer yet. */
  get pendingSends(): number {
    return this.#session.sender.size;
  }

  /** The messages that have no answer yet, in the order in which they were sent; with those of the outbox once it connects. */
  get pendingMessages(): readonly PendingMessage[] {
    return this.#session.sender.pending;
  }

  /** Calls the listener for each event of that name; returns how to stop it. */
  on<Name extends keyof ChatClientEvents>(name: Name, listener: (event: ChatClientEvents[Name]) => void): () => void {
    return this.#emitter.on(name, listener as (event: AllEvents[Name]) => void);
  }

  /**
   * Connects, and stays connected until `close`. Resolves when the client is online for the first time; rejects with
   * ChatClientError when that is hopeless (refused credentials) or, with `patient: false`, when the first attempt fails.
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
   * Sends a message; resolves when it is durably kept: then it will be in the chat. Safe across reconnections: it is sent again with the same id until it is
   * answered. Rejects with ChatClientError when the service refuses it for good, or when the client is closed first; with an outbox it is
   * sent by the next client then.
   */
  send(chatId: string, text: string, clientMessageId: string = newId()): Promise<Receipt> {
    if (this.state.kind === 'closed') return Promise.reject(closedError());
    return this.#session.sender.perform(sendMessage({ chatId, text, clientMessageId }));
  }

  /** Makes any unary call of the contract; tries again for a while when the service is away. Throws ChatClientError. */
  call<Method extends keyof ChatCalls>(
    method: Method,
    request: Parameters<ChatCalls[Method]>[0],
  ): Promise<Awaited<ReturnType<ChatCalls[Method]>>> {
    return this.#call(method, request);
  }

  /** What can be done in one chat. Does no I/O. */
  chat(chatId: string): ChatHandle {
    const cursor = () => this.#session.cursor(chatId);
    const deps = { chatId, call: this.#call, emitter: this.#emitter, cursor };
    return chatHandle(this, chatId, (options) => new MessageFeed(deps, options, this.#closed.signal));
  }

  /** All of the user's chats, each with its last message and what is unread, the one that changed last first. */
  chats(): Promise<Chat[]> {
    return allChats(this.#call);
  }

  /** Makes the user a member of the room; the room is created if there is none, where the service allows that. */
  async joinRoom(name: string): Promise<Chat> {
    return must((await this.#call('joinRoom', { name })).chat);
  }

  /** The chat of the user and one other; created if there is none. */
  async openDirect(userId: string): Promise<Chat> {
    return must((await this.#call('createChat', { type: ChatType.DIRECT, memberIds: [userId] })).chat);
  }

  /** The newest messages of a chat, oldest first; `beforeSeq` pages back. */
  async history(chatId: string, options: { beforeSeq?: number; pageSize?: number } = {}): Promise<Message[]> {
    return (await this.#call('listMessages', { chatId, ...options })).messages;
  }

  /**
   * Moves the user's read mark forward to a number, on all devices; resolves with the mark and how many messages are beyond it. May be called at
   * each message: marks of one chat that come while one is on its way go as one.
   */
  markRead(chatId: string, seq: number): Promise<MarkReadResponse> {
    return this.#readMarks.mark(chatId, seq);
  }

  /** Tells the others in a small chat that the user is typing. May be called at each keystroke: it goes out every 3 seconds at most. Never throws. */
  typing(chatId: string): void {
    this.#session.tellTyping(chatId);
  }

  /** The users with an open stream, by user id: all of them, or the members of one chat. */
  onlineUsers(chatId?: string): Promise<User[]> {
    return allOnlineUsers(this.#call, chatId);
  }

  /** Ends the connection for good. Messages that have no answer yet are rejected. Twice is harmless. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#session.end();
    this.#transport.close();
  }
}
