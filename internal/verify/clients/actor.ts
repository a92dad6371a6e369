import { type Accepted, type Command, FinishOutcome } from '../../../pkg/api/chat/v1/chat.ts';
import { TokenKeeper, type TokenSource } from '../../../pkg/chat-client/auth/token-source.ts';
import { ChatClientError } from '../../../pkg/chat-client/errors/chat-error.ts';
import { errorFromStatus } from '../../../pkg/chat-client/errors/status.ts';
import type { ChatCalls } from '../../../pkg/chat-client/transports/transport.ts';
import { admission, membership } from '../checker/checker.ts';
import type {
  CallRecord,
  ChangeRecord,
  Effect,
  Outcome,
  ReactRecord,
  SendRecord,
  StreamRecord,
} from '../history/history-record.ts';
import type { Journal } from '../history/journal.ts';
import { everyoneName, mentionsFor } from '../history/mentions-for.ts';
import { type Connection, type Deployment, openConnection, type TransportName } from '../transports/deployment.ts';
import { dataFor, streamedMark } from './content.ts';
import type { LiveStream } from './live-stream.ts';
import { outcomeOf } from './outcome.ts';
import type { Random } from './random.ts';
import type { KnownChat, KnownMessage, World } from './world.ts';

export interface ActorDeps {
  name: string;
  transportName: TransportName;
  tokens: TokenSource;
  deployment: Deployment;
  journal: Journal;
  random: Random;
  world: World;
  /** Whether connections may break at any time without being a violation. */
  faultsExpected: boolean;
}

/** What to record about a call besides its outcome. */
export interface CallDetails<Response> {
  /** Default: the method. */
  name?: string;
  chatId?: string;
  effects?: Effect[];
  /** Whether to make a unary call, or to send the command of the same name on the open stream, whose answer has no content. */
  by?: 'call' | 'stream';
  /** What to record from the answer. */
  tells?(
    response: Response,
  ): Partial<Pick<CallRecord, 'head' | 'description' | 'readSeq' | 'readGeneration' | 'counts' | 'same' | 'chatId'>>;
}

/** A message to send, with its client message id. */
export interface Draft {
  chatId: string;
  text: string;
  clientMessageId: string;
  firstBegin: number;
  replyToId?: string;
  rootId?: string;
}

/** A change to make, with its client change id. */
export type ChangeDraft = Pick<
  ChangeRecord,
  'what' | 'chatId' | 'messageId' | 'clientChangeId' | 'text' | 'hide' | 'ifVersion' | 'firstBegin'
>;

/** A reaction to add or to take back, with its client change id. */
export type ReactionDraft = Pick<
  ReactRecord,
  'chatId' | 'messageId' | 'emoji' | 'added' | 'clientChangeId' | 'firstBegin'
>;

/** A streamed message that has begun. */
export interface StreamedDraft {
  chatId: string;
  messageId: string;
}

/** Makes calls in place of the transport. */
export interface Channel {
  call<Method extends keyof ChatCalls>(
    method: Method,
    request: Parameters<ChatCalls[Method]>[0],
  ): Promise<Awaited<ReturnType<ChatCalls[Method]>>>;
}

/** One user at one client: does things, and records their outcomes. */
export class Actor {
  readonly name: string;
  readonly transportName: TransportName;
  readonly random: Random;
  readonly world: World;
  readonly journal: Journal;
  readonly deployment: Deployment;
  readonly tokens: TokenKeeper;
  user = '';
  /** Whether the user is an administrator. */
  isAdmin = false;
  /** The open stream; undefined for clients of the SDK. */
  live: LiveStream | undefined;
  /** Makes the calls in place of the connection, if set. */
  channel: Channel | undefined;
  /** The last 50 messages sent, to be sent again. */
  readonly drafts: Draft[] = [];
  /** The last 50 changes made, to be made again. */
  readonly changeDrafts: ChangeDraft[] = [];
  /** The last 50 reactions added or taken back, to be asked for again. */
  readonly reactionDrafts: ReactionDraft[] = [];
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
    // Each token comes over the connection that is open when it is needed.
    const source: TokenSource = (_auth, signal) => tokens(this.connection.transport.auth, signal);
    this.tokens = new TokenKeeper(source, this.connection.transport.auth, this.#closed.signal);
  }

  /** Whether the SDK makes the calls, and so retries them without this program knowing. */
  get isSdk(): boolean {
    return this.transportName.startsWith('sdk-');
  }

  /** Signs in and learns the user's id. Throws ChatClientError. */
  async signIn(): Promise<void> {
    const { token } = await this.tokens.get();
    const { userId, roles } = await this.connection.transport.auth.getMe({}, { token });
    this.user = userId;
    this.isAdmin = roles.includes('admin');
    if (!this.isSdk) this.world.sturdy.add(userId);
    this.world.users.push(userId);
  }

  /** Opens another connection, to another node if there are several. */
  moveOn(): void {
    const before = this.connection.transport;
    this.#node += 1;
    this.connection = openConnection(this.transportName, this.deployment, this.#node);
    // Calls that are under way on the old connection may still finish.
    setTimeout(() => before.close(), 10_500).unref();
  }

  close(): void {
    this.#closed.abort();
    this.connection.transport.close();
  }

  /** The chats that the user may send to, as far as the clients know. */
  get sendable(): KnownChat[] {
    return this.world.chatsOf(this.user).filter(({ roles }) => roles.get(this.user) !== 'READER');
  }

  /** The chats in which the user has one of these roles, as far as the clients know. */
  chatsAs(...roles: string[]): KnownChat[] {
    return this.world.chatsOf(this.user).filter((chat) => roles.includes(chat.roles.get(this.user)!));
  }

  /** How it can ask for an operation that exists both as a call and as a command. */
  get waysToAsk(): readonly ('stream' | 'call')[] {
    return this.live?.isWelcomed && this.transportName !== 'sse' ? ['stream', 'call'] : ['call'];
  }

  member(chat: { id: string }, user = this.user): string {
    return membership(chat.id, user);
  }

  admission(chat: { id: string }, user: string): string {
    return admission(chat.id, user);
  }

  /** Makes a call and records it; resolves with undefined if it failed. Never throws ChatClientError. */
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
  draft(
    chatId: string,
    references: Pick<Draft, 'replyToId' | 'rootId'> = {},
    text = `${this.#naming(chatId)}${this.#text()}`,
  ): Draft {
    this.#lastDraft += 1;
    const clientMessageId = `${this.name}-${this.#lastDraft}`;
    const draft = { chatId, text, clientMessageId, firstBegin: this.journal.now(), ...references };
    this.drafts.push(draft);
    if (this.drafts.length > 50) this.drafts.shift();
    return draft;
  }

  /** Sends a message by a call or by a command on the stream, and records the outcome. Never throws ChatClientError. */
  async send(draft: Draft, by: 'call' | 'stream' = 'call'): Promise<void> {
    const { firstBegin, ...message } = { ...draft, data: dataFor(draft.text), mentions: mentionsFor(draft.text) };
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
      this.world.notice({ id: messageId, chatId: draft.chatId, sender: this.user, version: seq });
    } catch (error) {
      const { outcome, code, reason } = outcomeOf(error);
      add({ outcome: this.#judge(outcome), code, reason });
      if (code === 'UNAUTHENTICATED') this.tokens.drop();
      if (code === 'UNAVAILABLE' && by === 'call' && !this.isSdk && !this.live) this.moveOn();
    }
  }

  /** A new change of a message; an edit gets a text that occurs nowhere else. */
  changeDraft(
    message: KnownMessage,
    change: Pick<ChangeDraft, 'what'> & Partial<Pick<ChangeDraft, 'clientChangeId' | 'hide' | 'ifVersion'>>,
  ): ChangeDraft {
    this.#lastDraft += 1;
    const clientChangeId = `${this.name}-change-${this.#lastDraft}`;
    const { chatId, id: messageId } = message;
    const text = change.what === 'edit' ? { text: `${this.#naming(chatId)}${clientChangeId}: ${this.#text()}` } : {};
    const draft = { chatId, messageId, clientChangeId, firstBegin: this.journal.now(), ...text, ...change };
    this.changeDrafts.push(draft);
    if (this.changeDrafts.length > 50) this.changeDrafts.shift();
    return draft;
  }

  /** Edits or deletes a message by a call or by a command on the stream, and records the outcome. Never throws ChatClientError. */
  async change(draft: ChangeDraft, by: 'call' | 'stream' = 'call'): Promise<void> {
    const { firstBegin: _, what, text = '', hide = false, ...request } = draft;
    const { name: client, user, transportName: via } = this;
    const byAdmin = this.isAdmin && { byAdmin: true };
    const record = { kind: 'change' as const, client, user, via, begin: this.journal.now(), ...byAdmin, ...draft };
    const add = (rest: Pick<ChangeRecord, 'outcome'> & Partial<ChangeRecord>) =>
      this.journal.add({ ...record, at: this.journal.now(), ...rest });
    if (hide) this.world.hidden.add(draft.messageId);
    try {
      const { seq } =
        what === 'edit'
          ? await this.#carryOut(
              'editMessage',
              { ...request, text, data: dataFor(text) ?? {}, mentions: mentionsFor(text) },
              by,
            )
          : await this.#carryOut('deleteMessage', { ...request, hide, reason: 'by chance' }, by);
      add({ outcome: 'ok', seq });
      const message = this.world.chats.get(draft.chatId)?.recent.get(draft.messageId);
      if (message) this.world.notice({ ...message, version: seq });
    } catch (error) {
      const { outcome, code, reason } = outcomeOf(error);
      add({ outcome: this.#judge(outcome), code, reason });
      if (code === 'UNAUTHENTICATED') this.tokens.drop();
      if (code === 'UNAVAILABLE' && by === 'call' && !this.isSdk && !this.live) this.moveOn();
    }
  }

  /** A new reaction to a message, or the removal of one. */
  reactionDraft({ chatId, id: messageId }: KnownMessage, emoji: string, added: boolean): ReactionDraft {
    this.#lastDraft += 1;
    const clientChangeId = `${this.name}-reaction-${this.#lastDraft}`;
    const draft = { chatId, messageId, emoji, added, clientChangeId, firstBegin: this.journal.now() };
    this.reactionDrafts.push(draft);
    if (this.reactionDrafts.length > 50) this.reactionDrafts.shift();
    return draft;
  }

  /** Reacts by a call or by a command on the stream, and records the outcome. Never throws ChatClientError. */
  async react(draft: ReactionDraft, by: 'call' | 'stream' = 'call'): Promise<void> {
    const { firstBegin: _, added, ...request } = draft;
    const { name: client, user, transportName: via } = this;
    const record = { kind: 'react' as const, client, user, via, begin: this.journal.now(), ...draft };
    const add = (rest: Pick<ReactRecord, 'outcome'> & Partial<ReactRecord>) =>
      this.journal.add({ ...record, at: this.journal.now(), ...rest });
    try {
      const { seq } = await this.#carryOut(added ? 'addReaction' : 'removeReaction', request, by);
      add({ outcome: 'ok', seq });
    } catch (error) {
      const { outcome, code, reason } = outcomeOf(error);
      add({ outcome: this.#judge(outcome), code, reason });
      if (code === 'UNAUTHENTICATED') this.tokens.drop();
      if (code === 'UNAVAILABLE' && by === 'call' && !this.isSdk && !this.live) this.moveOn();
    }
  }

  /** Begins a streamed message, and records the outcome. Undefined if it has not begun, as far as the client knows. Never throws ChatClientError. */
  async begin(chatId: string, by: 'call' | 'stream'): Promise<StreamedDraft | undefined> {
    this.#lastDraft += 1;
    const draft = { chatId, text: this.random.chance(0.5) ? 'Once' : '' };
    const request = { ...draft, clientMessageId: `${this.name}${streamedMark}${this.#lastDraft}` };
    const firstBegin = this.journal.now();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const { name: client, user, transportName: via } = this;
      const record = { kind: 'send' as const, streamed: true as const, client, user, via, ...request, firstBegin };
      const begin = this.journal.now();
      const add = (rest: Pick<SendRecord, 'outcome'> & Partial<SendRecord>) =>
        this.journal.add({ ...record, begin, at: this.journal.now(), ...rest });
      try {
        const { messageId, seq } = await this.#carryOut('startMessage', request, by);
        add({ outcome: 'ok', messageId, seq });
        this.world.notice({ id: messageId, chatId, sender: this.user, version: seq });
        return { chatId, messageId };
      } catch (error) {
        if (this.#noteFailure(error, by, add) === 'refused') return undefined;
      }
    }
    return undefined;
  }

  /** Appends a part to a streamed message, and records the outcome. Never throws ChatClientError. */
  append(part: StreamedDraft & { part: number; text: string }, by: 'call' | 'stream'): Promise<Outcome> {
    return this.#stream(part, async () => this.#carryOut('appendMessage', part, by), by);
  }

  /** Ends a streamed message, and records the outcome. Never throws ChatClientError. */
  end({ chatId, messageId }: StreamedDraft, completes: boolean, by: 'call' | 'stream'): Promise<Outcome> {
    const outcome = completes ? FinishOutcome.COMPLETE : FinishOutcome.CANCELLED;
    const request = { chatId, messageId, outcome };
    const end = completes ? 'complete' : 'cancelled';
    return this.#stream({ chatId, messageId, end }, async () => this.#carryOut('finishMessage', request, by), by);
  }

  async #stream(
    { chatId, messageId, ...what }: StreamedDraft & Pick<StreamRecord, 'part' | 'text' | 'end'>,
    carryOut: () => Promise<{ seq: number }>,
    by: 'call' | 'stream',
  ): Promise<Outcome> {
    const begin = this.journal.now();
    const { name: client, user, transportName: via } = this;
    const record = { kind: 'stream' as const, client, user, via, begin, firstBegin: begin, chatId, messageId };
    const add = (rest: Pick<StreamRecord, 'outcome'> & Partial<StreamRecord>) =>
      this.journal.add({ ...record, ...what, at: this.journal.now(), ...rest });
    try {
      const { seq } = await carryOut();
      add({ outcome: 'ok', seq });
      return 'ok';
    } catch (error) {
      return this.#noteFailure(error, by, add);
    }
  }

  #noteFailure(
    error: unknown,
    by: 'call' | 'stream',
    add: (rest: { outcome: Outcome; code: string; reason: string }) => void,
  ): Outcome {
    const { outcome, code, reason } = outcomeOf(error);
    const judged = this.#judge(outcome);
    add({ outcome: judged, code, reason });
    if (code === 'UNAUTHENTICATED') this.tokens.drop();
    if (code === 'UNAVAILABLE' && by === 'call' && !this.isSdk && !this.live) this.moveOn();
    return judged;
  }

  /** The SDK retries: if connections break, the service may still carry out an attempt before the one that it refused. */
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

  /** The beginning of a text: by chance it mentions a user who may be a member, or everyone. */
  #naming(chatId: string): string {
    if (!this.random.chance(0.2)) return '';
    const roles = this.world.chats.get(chatId)?.roles ?? new Map<string, string>();
    const name = this.random.chance(0.2) ? everyoneName : this.random.pick([...roles.keys()]);
    return name === undefined ? '' : `@${name} `;
  }

  #text(): string {
    const length = this.random.chance(0.05) ? 3_000 : 5 + this.random.below(30);
    return `${this.name} says `.padEnd(length, 'so on and on ');
  }
}
