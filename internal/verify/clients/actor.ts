import type { Accepted, Command } from '../../../pkg/api/chat/v1/chat.ts';
import { TokenKeeper, type TokenSource } from '../../../pkg/chat-client/auth/token-source.ts';
import { ChatClientError } from '../../../pkg/chat-client/errors/chat-error.ts';
import { errorFromStatus } from '../../../pkg/chat-client/errors/status.ts';
import type { ChatCalls } from '../../../pkg/chat-client/transports/transport.ts';
import { admission, membership } from '../checker/checker.ts';
import type { CallRecord, Effect, Outcome, SendRecord } from '../history/history-record.ts';
import type { Journal } from '../history/journal.ts';
import { type Connection, type Deployment, openConnection, type TransportName } from '../transports/deployment.ts';
import type { LiveStream } from './live-stream.ts';
import { outcomeOf } from './outcome.ts';
import type { Random } from './random.ts';
import type { KnownChat, World } from './world.ts';

export interface ActorDeps {
  name: string;
  transportName: TransportName;
  tokens: TokenSource;
  deployment: Deployment;
  journal: Journal;
  random: Random;
  world: World;
  /** Whether connections may break at any time. */
  faultsExpected: boolean;
}

/** What is to be taken down of a call besides its outcome. */
export interface CallDetails<Response> {
  /** Default: the method. */
  name?: string;
  chatId?: string;
  effects?: Effect[];
  /** By a unary call, or by the command of the same name in the open stream, whose answer is only that it is done. */
  by?: 'call' | 'stream';
  /** What the answer tells. */
  tells?(response: Response): Partial<Pick<CallRecord, 'head' | 'readSeq' | 'same' | 'chatId'>>;
}

/** A message under its client's id. */
export interface Draft {
  chatId: string;
  text: string;
  clientMessageId: string;
  firstBegin: number;
}

/** How calls and messages go to the service. */
export interface Channel {
  call<Method extends keyof ChatCalls>(
    method: Method,
    request: Parameters<ChatCalls[Method]>[0],
  ): Promise<Awaited<ReturnType<ChatCalls[Method]>>>;
}

/** One user at one client, which does things and takes down what became of them. */
export class Actor {
  readonly name: string;
  readonly transportName: TransportName;
  readonly random: Random;
  readonly world: World;
  readonly journal: Journal;
  readonly deployment: Deployment;
  readonly tokens: TokenKeeper;
  user = '';
  /** Whether its token is an administrator's. */
  isAdmin = false;
  /** The open stream, for those who have one of their own. */
  live: LiveStream | undefined;
  /** Makes the calls in place of the connection, if set. */
  channel: Channel | undefined;
  /** What was sent, to be sent again. The newest ones only. */
  readonly drafts: Draft[] = [];
  connection: Connection;
  readonly #closed = new AbortController();
  readonly #faultsExpected: boolean;
  #node: number;
  #lastDraft = 0;

  constructor({ name, transportName, tokens, deployment, journal, random, world, faultsExpected }: ActorDeps) {
    this.#faultsExpected = faultsExpected;
    this.name = name;
    this.transportName = transportName;
    this.random = random;
    this.world = world;
    this.journal = journal;
    this.deployment = deployment;
    this.#node = random.below(1_000);
    this.connection = openConnection(transportName, deployment, this.#node);
    // Tokens are asked for over the connection that is open at that time.
    const source: TokenSource = (_auth, signal) => tokens(this.connection.transport.auth, signal);
    this.tokens = new TokenKeeper(source, this.connection.transport.auth, this.#closed.signal);
  }

  /** Whether what it does is tried again where this program cannot see it. */
  get isSdk(): boolean {
    return this.transportName.startsWith('sdk-');
  }

  /** Learns who it is. Throws ChatClientError. */
  async signIn(): Promise<void> {
    const { token } = await this.tokens.get();
    const { userId, roles } = await this.connection.transport.auth.getMe({}, { token });
    this.user = userId;
    this.isAdmin = roles.includes('admin');
    if (!this.isSdk) this.world.sturdy.add(userId);
    this.world.users.push(userId);
  }

  /** Goes on by another connection, to another node if there are several. */
  moveOn(): void {
    const before = this.connection.transport;
    this.#node += 1;
    this.connection = openConnection(this.transportName, this.deployment, this.#node);
    // What is under way by the old one may still end.
    setTimeout(() => before.close(), 10_500).unref();
  }

  close(): void {
    this.#closed.abort();
    this.connection.transport.close();
  }

  /** The chats that it is believed to be a member of, and may send to. */
  get sendable(): KnownChat[] {
    return this.world.chatsOf(this.user).filter(({ roles }) => roles.get(this.user) !== 'READER');
  }

  /** The chats in which it is believed to have one of these roles. */
  chatsAs(...roles: string[]): KnownChat[] {
    return this.world.chatsOf(this.user).filter((chat) => roles.includes(chat.roles.get(this.user)!));
  }

  /** How it can ask for an operation that has a command of its name. */
  get waysToAsk(): readonly ('stream' | 'call')[] {
    return this.live?.isWelcomed && this.transportName !== 'sse' ? ['stream', 'call'] : ['call'];
  }

  member(chat: { id: string }, user = this.user): string {
    return membership(chat.id, user);
  }

  admission(chat: { id: string }, user: string): string {
    return admission(chat.id, user);
  }

  /** Makes a unary call and takes it down; undefined if it did not succeed. Never throws ChatClientError. */
  async call<Method extends keyof ChatCalls>(
    method: Method,
    request: Parameters<ChatCalls[Method]>[0],
    {
      name = method,
      chatId,
      effects = [],
      tells,
      by = 'call',
    }: CallDetails<Awaited<ReturnType<ChatCalls[Method]>>> = {},
  ): Promise<Awaited<ReturnType<ChatCalls[Method]>> | undefined> {
    const begin = this.journal.now();
    const { name: client, user, transportName: via } = this;
    const record = { kind: 'call' as const, name, client, user, via, begin, effects, ...(chatId && { chatId }) };
    try {
      const response = await this.#carryOut(method, request, by);
      this.journal.add({ ...record, at: this.journal.now(), outcome: 'ok', ...tells?.(response) });
      return response;
    } catch (error) {
      const { code, reason, outcome } = outcomeOf(error);
      const denied = reason === 'NOT_A_MEMBER' || reason === 'CHAT_NOT_FOUND';
      const needed = effects.filter(({ kind, right }) => denied && kind === 'use' && right.startsWith('member'));
      this.journal.add({
        ...record,
        at: this.journal.now(),
        outcome: this.#judge(outcome),
        code,
        reason,
        effects: [...effects, ...needed.map(({ right }) => ({ kind: 'denied' as const, right }))],
      });
      if (code === 'UNAUTHENTICATED') this.tokens.drop();
      if (code === 'UNAVAILABLE' && !this.isSdk && !this.live) this.moveOn();
      return undefined;
    }
  }

  /** A new message for a chat. */
  draft(chatId: string, text = this.#text()): Draft {
    this.#lastDraft += 1;
    const clientMessageId = `${this.name}-${this.#lastDraft}`;
    const draft = { chatId, text, clientMessageId, firstBegin: this.journal.now() };
    this.drafts.push(draft);
    if (this.drafts.length > 50) this.drafts.shift();
    return draft;
  }

  /** Sends a message by a call, or a command in the stream, and takes down what became of it. Never throws ChatClientError. */
  async send(draft: Draft, by: 'call' | 'stream' = 'call'): Promise<void> {
    const { firstBegin, ...message } = draft;
    const begin = this.journal.now();
    const record = {
      kind: 'send' as const,
      client: this.name,
      user: this.user,
      via: this.transportName,
      begin,
      ...draft,
    };
    const add = (rest: Pick<SendRecord, 'outcome'> & Partial<SendRecord>) =>
      this.journal.add({ ...record, at: this.journal.now(), ...rest });
    try {
      const { messageId, seq } = await this.#carryOut('sendMessage', message, by);
      add({ outcome: 'ok', messageId, seq });
      if (seq === 0) this.world.owe(draft.chatId, messageId);
    } catch (error) {
      const { outcome, code, reason } = outcomeOf(error);
      add({ outcome: this.#judge(outcome), code, reason });
      if (code === 'UNAUTHENTICATED') this.tokens.drop();
      if (code === 'UNAVAILABLE' && by === 'call' && !this.isSdk && !this.live) this.moveOn();
    }
  }

  /** The SDK tries again: an attempt before the one that was refused may still be carried out where connections break. */
  #judge(outcome: Outcome): Outcome {
    return this.isSdk && this.#faultsExpected && outcome === 'refused' ? 'unknown' : outcome;
  }

  async #carryOut<Method extends keyof ChatCalls>(
    method: Method,
    request: Parameters<ChatCalls[Method]>[0],
    by: 'call' | 'stream',
  ) {
    if (by === 'stream') return (await this.#command(method, request)) as Awaited<ReturnType<ChatCalls[Method]>>;
    if (this.channel) return this.channel.call(method, request);
    const { token } = await this.tokens.get();
    const call = this.connection.transport.chat[method] as (
      request: unknown,
      options: object,
    ) => ReturnType<ChatCalls[Method]>;
    return (await call(request, { token })) as Awaited<ReturnType<ChatCalls[Method]>>;
  }

  async #command(method: keyof ChatCalls, request: unknown): Promise<Accepted> {
    const answer = await this.live?.ask({ $case: method, value: request } as NonNullable<Command['command']>);
    if (answer?.$case === 'accepted') return answer.value;
    if (answer?.$case === 'rejected') throw errorFromStatus(answer.value.status!);
    throw new ChatClientError('there was no answer', { code: 'UNAVAILABLE' });
  }

  #text(): string {
    const length = this.random.chance(0.05) ? 3_000 : 5 + this.random.below(30);
    return `${this.name} says `.padEnd(length, 'so on and on ');
  }
}
