import type { Chat, Event, Limits, Message, User, Welcome } from '../api/chat/v1/chat.ts';
import { ChatType, type RemovalReason, StartFrom } from '../api/chat/v1/chat.ts';
import { Backoff } from './backoff.ts';
import { ChatClientError } from './chat-error.ts';
import { Emitter } from './emitter.ts';
import { PendingSends, type Receipt } from './pending-sends.ts';
import { errorFromStatus } from './status.ts';
import { TokenKeeper, type TokenSource } from './token-source.ts';
import type { ChatCalls, Stream, Transport } from './transport.ts';

export interface ChatClientOptions {
  transport: Transport;
  token: TokenSource;
  /** Sends that may be without an answer at the same time; `send` throws beyond that. Default 10,000. */
  maxPendingSends?: number;
  /** After so long without a word from the service the connection is given up, in milliseconds. Default 15,000. */
  silenceMs?: number;
}

export type ConnectionState =
  | { kind: 'connecting' }
  | { kind: 'online'; user: User; limits: Limits | undefined }
  /** Connects again by itself after that time. */
  | { kind: 'offline'; error: ChatClientError; retryInMs: number }
  /** Ended by `close`, or by an error that trying again cannot mend. */
  | { kind: 'closed'; error?: ChatClientError };

/** What a client can listen to. */
export type ChatClientEvents = {
  state: ConnectionState;
  /** A message of any of the user's chats, new or changed: each once, in the chat's order, across reconnections. */
  message: Message;
  /** The user became a member of a chat. */
  chatAdded: Chat;
  chatRemoved: { chatId: string; reason: RemovalReason };
  /** Everything that was missed in this chat has been delivered. */
  caughtUp: { chatId: string; seq: number };
  /** The service does not have the chat as far as this client has seen it (it was restored from a backup): look at its history anew. */
  reset: { chatId: string };
};

/** Codes after which another attempt with the same credentials is hopeless. */
const hopeless = new Set(['INVALID_ARGUMENT', 'PERMISSION_DENIED', 'FAILED_PRECONDITION', 'UNIMPLEMENTED']);

/** The same of refused credentials; other tokens that are refused may be followed by better ones. */
const hopelessReasons = new Set(['WRONG_CREDENTIALS', 'REFRESH_TOKEN_INVALID', 'REFRESH_TOKEN_REUSED']);

/**
 * A user's connection to the chat service. It signs in, connects, and comes back by itself when the connection is lost: it then
 * resumes each chat after the last message that it has seen, and sends again what was not answered.
 */
export class ChatClient {
  readonly #transport: Transport;
  readonly #tokens: TokenKeeper;
  readonly #emitter = new Emitter<ChatClientEvents>();
  readonly #cursors = new Map<string, number>();
  readonly #sends: PendingSends;
  readonly #backoff = new Backoff();
  readonly #resends = new Backoff();
  readonly #silenceMs: number;
  readonly #closed = new AbortController();
  #state: ConnectionState = { kind: 'connecting' };
  #stream: Stream | undefined;
  /** The stream on which refused messages are about to be sent again. */
  #resendingOn: Stream | undefined;
  #renewal: NodeJS.Timeout | undefined;
  #welcome: Welcome | undefined;
  #everSubscribed = false;
  #running: Promise<void> | undefined;

  constructor({ transport, token, maxPendingSends = 10_000, silenceMs = 15_000 }: ChatClientOptions) {
    this.#transport = transport;
    this.#tokens = new TokenKeeper(token, transport.auth, this.#closed.signal);
    this.#sends = new PendingSends(maxPendingSends);
    this.#silenceMs = silenceMs;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Messages sent that have no answer yet. */
  get pendingSends(): number {
    return this.#sends.size;
  }

  /** Calls the listener for each event of that name; returns how to stop it. */
  on<Name extends keyof ChatClientEvents>(name: Name, listener: (event: ChatClientEvents[Name]) => void): () => void {
    return this.#emitter.on(name, listener);
  }

  /**
   * Connects, and stays connected until `close`. Resolves when the client is online for the first time; rejects with
   * ChatClientError when that is hopeless (refused credentials) or, with `patient: false`, when the first attempt fails.
   */
  async connect({ patient = true }: { patient?: boolean } = {}): Promise<User> {
    this.#running ??= this.#run();
    return new Promise((resolve, reject) => {
      const settle = (state: ConnectionState) => {
        if (state.kind === 'online') resolve(state.user);
        else if (state.kind === 'closed') reject(state.error ?? closedError());
        else if (state.kind === 'offline' && !patient) reject(state.error);
        else return;
        stop();
      };
      const stop = this.on('state', settle);
      settle(this.#state);
    });
  }

  /**
   * Sends a message; resolves when it is committed. Safe across reconnections: it is sent again with the same id until it is
   * answered. Rejects with ChatClientError when the service refuses it for good, or when the client is closed first.
   */
  send(chatId: string, text: string, clientMessageId: string = crypto.randomUUID()): Promise<Receipt> {
    if (this.#state.kind === 'closed') return Promise.reject(closedError());
    if (this.#sends.full) {
      const error = new ChatClientError('too many messages are waiting for an answer', { code: 'RESOURCE_EXHAUSTED' });
      return Promise.reject(error);
    }
    const { command, receipt } = this.#sends.add({ chatId, text, clientMessageId });
    this.#stream?.send(command);
    return receipt;
  }

  /** Makes any unary call of the contract; tries again for a while when the service is away. Throws ChatClientError. */
  async call<Method extends keyof ChatCalls>(
    method: Method,
    request: Parameters<ChatCalls[Method]>[0],
  ): Promise<Awaited<ReturnType<ChatCalls[Method]>>> {
    const backoff = new Backoff();
    const giveUpAt = Date.now() + 10_000;
    for (;;) {
      try {
        const { token } = await this.#tokens.get();
        const call = this.#transport.chat[method] as (request: unknown, options: object) => Promise<never>;
        return await call(request, { token, signal: this.#closed.signal });
      } catch (error) {
        const waitMs = backoff.next(error instanceof ChatClientError ? error.retryAfterMs : 0);
        const again = error instanceof ChatClientError && error.temporary && isRepeatable(method, request as object);
        if (!again || Date.now() + waitMs > giveUpAt || this.#closed.signal.aborted) throw error;
        await this.#sleep(waitMs);
      }
    }
  }

  /** Makes the user a member of the room; the room is created if there is none, where the service allows that. */
  async joinRoom(name: string): Promise<Chat> {
    return must((await this.call('joinRoom', { name })).chat);
  }

  /** The chat of the user and one other; created if there is none. */
  async openDirect(userId: string): Promise<Chat> {
    return must((await this.call('createChat', { type: ChatType.DIRECT, memberIds: [userId] })).chat);
  }

  /** The newest messages of a chat, oldest first; `beforeSeq` pages back. */
  async history(chatId: string, options: { beforeSeq?: number; pageSize?: number } = {}): Promise<Message[]> {
    return (await this.call('listMessages', { chatId, ...options })).messages;
  }

  /** Ends the connection for good. Messages that have no answer yet are rejected. Twice is harmless. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#running;
    this.#end();
    this.#transport.close();
  }

  async #run(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      this.#setState({ kind: 'connecting' });
      const error = await this.#connectOnce();
      if (this.#closed.signal.aborted) return;
      if (error.code === 'UNAUTHENTICATED') this.#tokens.drop();
      if (hopeless.has(error.code) || hopelessReasons.has(error.reason)) return this.#end(error);
      const retryInMs = this.#backoff.next(error.retryAfterMs);
      this.#setState({ kind: 'offline', error, retryInMs });
      await this.#sleep(retryInMs);
    }
  }

  /** Resolves with what ended the stream. */
  async #connectOnce(): Promise<ChatClientError> {
    const ended = new AbortController();
    const abort = () => ended.abort();
    this.#closed.signal.addEventListener('abort', abort, { once: true });
    let watchdog: NodeJS.Timeout | undefined;
    let retryAfterMs: number | undefined;
    try {
      const { token } = await this.#tokens.get();
      const stream = this.#transport.connect(token, ended.signal);
      let heard = true;
      let asked = false;
      watchdog = setInterval(() => {
        if (!heard && asked) return ended.abort();
        asked = !heard;
        if (asked) stream.send({ commandId: '', command: { $case: 'ping', value: {} } });
        heard = false;
      }, this.#silenceMs / 2);
      this.#renewLater(stream);
      for await (const events of stream.frames) {
        heard = true;
        for (const event of events) {
          if (event.event?.$case === 'closing') retryAfterMs = event.event.value.retryAfterMs;
          this.#receive(stream, event);
        }
      }
      return new ChatClientError('the service ended the stream', { code: 'UNAVAILABLE', retryAfterMs });
    } catch (error) {
      const { message, code, reason, violations, retryAfterMs: hintMs } = toError(error);
      const details = { code, reason, violations, retryAfterMs: retryAfterMs ?? hintMs, cause: error };
      return new ChatClientError(message, details);
    } finally {
      clearInterval(watchdog);
      clearTimeout(this.#renewal);
      this.#stream = undefined;
      ended.abort();
      this.#closed.signal.removeEventListener('abort', abort);
    }
  }

  #receive(stream: Stream, { event }: Event): void {
    switch (event?.$case) {
      case 'welcome': {
        this.#stream = stream;
        this.#welcome = event.value;
        this.#subscribe(stream);
        for (const command of this.#sends.commands()) stream.send(command);
        return this.#backoff.reset();
      }
      case 'message': {
        const { chatId, updateSeq } = event.value;
        if (updateSeq <= (this.#cursors.get(chatId) ?? 0)) return;
        this.#cursors.set(chatId, updateSeq);
        return this.#emitter.emit('message', event.value);
      }
      case 'subscribed': {
        const { chatId, afterSeq } = event.value;
        if (!this.#cursors.has(chatId)) this.#cursors.set(chatId, afterSeq);
        return;
      }
      case 'caughtUp': {
        const { chatId, seq } = event.value;
        this.#cursors.set(chatId, Math.max(seq, this.#cursors.get(chatId) ?? 0));
        return this.#emitter.emit('caughtUp', event.value);
      }
      case 'accepted':
        this.#resends.reset();
        if (event.value.commandId !== 'subscribe') return this.#sends.accept(event.value);
        this.#everSubscribed = true;
        return this.#goOnline();
      case 'rejected': {
        const { commandId, status } = event.value;
        return this.#refused(stream, commandId, errorFromStatus(must(status)));
      }
      case 'chatAdded':
        return this.#emitter.emit('chatAdded', must(event.value.chat));
      case 'chatRemoved':
        this.#cursors.delete(event.value.chatId);
        return this.#emitter.emit('chatRemoved', event.value);
    }
  }

  #subscribe(stream: Stream): void {
    const cursors = Object.fromEntries(this.#cursors);
    // Whatever was joined while this client was away is told from its beginning; at first only what happens from now on.
    const others = this.#everSubscribed ? StartFrom.JOINED : StartFrom.NOW;
    stream.send({ commandId: 'subscribe', command: { $case: 'subscribeAll', value: { cursors, others } } });
  }

  /** Not before the subscription: whatever is joined from here on is heard from its first message. */
  #goOnline(): void {
    const { user, limits } = must(this.#welcome);
    if (this.#state.kind !== 'online') this.#setState({ kind: 'online', user: must(user), limits });
  }

  #refused(stream: Stream, commandId: string, error: ChatClientError): void {
    if (commandId === 'subscribe') {
      for (const { field } of error.reason === 'CURSOR_IN_FUTURE' ? error.violations : []) {
        const chatId = /"(.+)"/.exec(field)?.[1] ?? '';
        if (this.#cursors.delete(chatId)) this.#emitter.emit('reset', { chatId });
      }
      // Refused for good, as for a user of too many chats: it can still send and call.
      if (!error.temporary && error.reason !== 'CURSOR_IN_FUTURE') this.#goOnline();
      return this.#later(stream, error, () => this.#subscribe(stream));
    }
    if (this.#sends.refuse(commandId, error)) this.#resendLater(stream, error);
  }

  /** What is refused until then goes together, in the order in which it was sent. */
  #resendLater(stream: Stream, { retryAfterMs }: ChatClientError): void {
    if (this.#resendingOn === stream) return;
    this.#resendingOn = stream;
    void this.#sleep(this.#resends.next(retryAfterMs)).then(() => {
      if (this.#resendingOn !== stream) return;
      this.#resendingOn = undefined;
      if (this.#stream === stream) for (const command of this.#sends.refusedCommands()) stream.send(command);
    });
  }

  /** Does it when trying again may help, if the stream is still the same then. */
  #later(stream: Stream, { retryAfterMs }: ChatClientError, action: () => void): void {
    void this.#sleep(this.#backoff.next(retryAfterMs)).then(() => this.#stream === stream && action());
  }

  #renewLater(stream: Stream): void {
    this.#renewal = setTimeout(() => {
      const renew = async () => {
        const { token } = await this.#tokens.get();
        stream.send({ commandId: '', command: { $case: 'authenticate', value: { token } } });
      };
      // A failure shows when the old token expires; the stream then ends and is opened anew.
      renew().then(
        () => this.#stream === stream && this.#renewLater(stream),
        () => {},
      );
    }, this.#tokens.renewInMs + 10);
  }

  #setState(state: ConnectionState): void {
    this.#state = state;
    this.#emitter.emit('state', state);
  }

  #end(error?: ChatClientError): void {
    if (this.#state.kind === 'closed') return;
    this.#sends.fail(error ?? closedError());
    this.#setState({ kind: 'closed', error });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#closed;
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

/** Whether making the call twice does no more than making it once. */
function isRepeatable(method: keyof ChatCalls, request: object): boolean {
  return method !== 'createChat' || (request as { type?: ChatType }).type === ChatType.DIRECT;
}

function closedError(): ChatClientError {
  return new ChatClientError('the client was closed', { code: 'CANCELLED' });
}

function toError(error: unknown): ChatClientError {
  if (error instanceof ChatClientError) return error;
  return new ChatClientError((error as Error).message, { code: 'UNKNOWN', cause: error });
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new ChatClientError('the service left out a field', { code: 'INTERNAL' });
  return value;
}
