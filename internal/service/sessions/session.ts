import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { TokenVerifier } from '../../client/auth/token-verifier.ts';
import { keepActiveSpans } from '../../client/tracing/active-spans.ts';
import type { Command } from '../../model/command.ts';
import { ChatError, type ErrorCode } from '../../model/errors.ts';
import type { CloseReason, Event, SessionLimits } from '../../model/event.ts';
import type { EventEncoder } from '../../model/event-encoder.ts';
import type { LightAbortSignal } from '../../model/light-abort.ts';
import type { Receipt } from '../../model/message.ts';
import type { Operation } from '../../model/operations.ts';
import type { Principal } from '../../model/principal.ts';
import type { RateLimiter } from '../../ratelimiter/rate-limiter.ts';
import type { ChatRepository } from '../../repository/chat-repository.ts';
import type { EpochRepository } from '../../repository/epoch-repository.ts';
import type { MembershipRepository } from '../../repository/membership-repository.ts';
import type { MessageRepository } from '../../repository/message-repository.ts';
import type { Revocations } from '../accounts/revocations.ts';
import { authorizeToken } from '../authorization.ts';
import type { ChatService } from '../chats/chat-service.ts';
import type { Hub } from '../delivery/hub.ts';
import { OutboundBuffer } from '../delivery/outbound-buffer.ts';
import { Subscriptions } from '../delivery/subscriptions.ts';
import { FrameSender, type FrameWriter } from './frame-sender.ts';
import type { Inbox } from './inbox.ts';
import type { SessionCounters } from './session-counters.ts';

/** The receipt of a message; of other operations, nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: of a promise, void and undefined are the same.
export type CommandOutcome = Receipt | void;

/** An operation that a client asks for in its stream. */
export interface OperationCommand {
  kind: 'operation';
  commandId: string;
  operation: Operation;
  /** Whether the next command may be carried out while this one waits for its commit. */
  pipelined: boolean;
  /** Carries it out. Throws ChatError. A synchronous part runs at once, so that calls made one after the other keep their order. */
  run(caller: Principal): Promise<CommandOutcome>;
}

/** A command as the transport has read it, or the reason why it is refused. */
export type Incoming = Command | OperationCommand | { kind: 'invalid'; commandId: string; error: unknown };

export interface SessionOptions {
  limits: SessionLimits;
  /** Bytes that may wait for a reader. A reader with more is served from the database, at its own pace. */
  outboxBytes: number;
  /** Bytes of a frame of events, unless a single event is larger. */
  frameBytes: number;
  /** Entries of a page from the database. */
  pageSize: number;
  /** Commands that may wait for their commit at the same time; with more, no further commands are read. */
  maxPendingSends: number;
  /** Milliseconds that a reader has to take the last frames of a session that is being closed. */
  closingGraceMs: number;
}

export interface SessionDeps {
  service: Pick<ChatService, 'getMembership'>;
  hub: Hub;
  chats: ChatRepository;
  memberships: MembershipRepository;
  messages: MessageRepository;
  epochs: EpochRepository;
  verifier: TokenVerifier;
  revocations: Pick<Revocations, 'check' | 'onChange'>;
  limiter: RateLimiter;
  counters: SessionCounters;
  log: Logger;
}

/** How clients open streams. A gateway that runs alone opens them by gRPC. */
export type Transport = 'grpc' | 'websocket' | 'sse';

/** Milliseconds for which, at the most, no commands are read from a stream that exceeded its rate. */
const maxPauseMs = 1_000;
/** The longest time that `setTimeout` takes. */
const maxTimeoutMs = 2 ** 31 - 1;

/** Reasons for which the user has lost the right to read, so that messages in the outbound buffer are dropped too. */
const rightsLost: ReadonlySet<CloseReason> = new Set(['TOKEN_EXPIRED', 'SESSION_REVOKED', 'BANNED']);

/** The operation that a command about the stream itself counts as. */
const ownOperations = {
  subscribe: 'Subscribe',
  subscribe_all: 'SubscribeAll',
  unsubscribe: 'ConnectChat',
  authenticate: 'ConnectChat',
  ping: 'ConnectChat',
} as const satisfies Record<Command['kind'], Operation>;

/** One open stream of one user, by any transport: carries out its commands and queues the events that answer them. */
export class Session {
  readonly id: string;
  readonly transport: Transport;
  /** In milliseconds since 1970. */
  readonly openedAt = Date.now();
  readonly #traceId: string | undefined;
  readonly #deps: SessionDeps;
  readonly #options: SessionOptions;
  readonly #encoder: EventEncoder;
  readonly #outbound: OutboundBuffer;
  readonly #subscriptions: Subscriptions;
  /** Pipelined commands that have no answer yet. Absent on a stream that only reads. */
  #pending: Set<Promise<void>> | undefined;
  readonly #onClosing: () => void;
  #principal: Principal;
  #expiry: NodeJS.Timeout | undefined;
  #closing = false;
  #endError: unknown;
  #running: Running | undefined;
  #carryingOut = false;

  constructor(
    deps: SessionDeps,
    options: SessionOptions,
    {
      id,
      principal,
      encoder,
      transport,
      traceId,
      onClosing = () => {},
    }: {
      id: string;
      principal: Principal;
      encoder: EventEncoder;
      transport: Transport;
      /** Of the stream. */
      traceId?: string | undefined;
      onClosing?: () => void;
    },
  ) {
    this.id = id;
    this.transport = transport;
    this.#traceId = traceId;
    this.#deps = deps;
    this.#options = options;
    this.#principal = principal;
    this.#encoder = encoder;
    this.#onClosing = onClosing;
    this.#outbound = new OutboundBuffer({ maxBytes: options.outboxBytes, maxFrameBytes: options.frameBytes });
    this.#subscriptions = new Subscriptions(
      {
        hub: deps.hub,
        chats: deps.chats,
        memberships: deps.memberships,
        messages: deps.messages,
        epochs: deps.epochs,
        outbound: this.#outbound,
        encoder,
        userId: principal.userId,
        onRetry: (err) => deps.log.warn({ err, sessionId: id, traceId }, 'could not read for a stream; trying again'),
      },
      { maxSubscriptions: options.limits.maxSubscriptions, pageSize: options.pageSize },
    );
  }

  get userId(): string {
    return this.#principal.userId;
  }

  /** The principal of the newest token that the client has sent. */
  get principal(): Principal {
    return this.#principal;
  }

  /** Chats that the stream reads. */
  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  /** Bytes that wait for the reader. */
  get queuedBytes(): number {
    return this.#outbound.bytes;
  }

  /**
   * Carries out the commands and writes frames of events, one write at a time. Resolves when the client has half-closed and every answer was
   * written, or when the signal aborts. Throws the error that the session was closed with: UNAVAILABLE (DRAINING), UNAUTHENTICATED
   * (TOKEN_EXPIRED, SESSION_REVOKED), PERMISSION_DENIED (BANNED), INVALID_ARGUMENT (MALFORMED_FRAME); and what `write` throws. Call once.
   */
  run(commands: Inbox<readonly Incoming[]>, write: FrameWriter, signal: LightAbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      // One function for both: every open stream has its own.
      const finish = () => this.#finish();
      const { sent } = this.#deps.counters;
      const sender = new FrameSender({ outbound: this.#outbound, write, onFinished: finish, sent });
      this.#running = { commands, sender, signal, resolve, reject };
      const { userId, name, tokenExpiresAt } = this.#principal;
      const { limits } = this.#options;
      this.#tell({ kind: 'welcome', sessionId: this.id, user: { id: userId, name }, limits, tokenExpiresAt });
      this.#watchExpiry();
      if (signal.aborted) return this.#finish();
      signal.addEventListener('abort', finish, { once: true });
      sender.start();
      commands.onReady(keepActiveSpans(() => void this.#readAll()));
    });
  }

  /** Ends the session: answers to commands under way are written, then `closing`, and then `run` throws the error. Never throws. */
  async close(reason: CloseReason, error: unknown, retryAfterMs = 0): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#onClosing();
    this.#subscriptions.close();
    if (rightsLost.has(reason)) this.#outbound.dropMessages();
    await Promise.all(this.#pending ?? []);
    this.#tell({ kind: 'closing', reason, retryAfterMs });
    this.#endError = error;
    this.#end();
  }

  /** Carries out the commands that have arrived, and returns: no suspended function waits for further ones. Never throws. */
  async #readAll(): Promise<void> {
    const running = this.#running;
    if (!running || this.#carryingOut || this.#closing) return;
    const { commands, signal } = running;
    this.#carryingOut = true;
    try {
      for (let frame = commands.take(); frame; frame = commands.take()) {
        this.#deps.counters.received.add(1);
        for (const command of frame) {
          if (this.#closing) return;
          await this.#carryOut(command);
          if (!this.#outbound.hasRoom) await this.#outbound.whenRoom();
        }
        if (this.#closing) return;
      }
      if (!commands.ended) return;
      this.#subscriptions.close();
      await Promise.all(this.#pending ?? []);
      // The session goes on until the answers are written: the user may lose the right to read them before that.
      this.#outbound.end();
    } catch (error) {
      if (signal.aborted) return this.#end();
      this.#deps.log.debug({ err: error, ...this.#ids }, 'a stream sent a frame that cannot be read');
      await this.close('PROTOCOL_ERROR', error);
    } finally {
      this.#carryingOut = false;
    }
  }

  async #carryOut(command: Incoming): Promise<void> {
    const operation = operationOf(command);
    try {
      authorizeToken(operation, this.#principal);
      await this.#deps.limiter.consume(operation, this.userId);
      if (command.kind === 'operation') return await this.#operate(command);
      await this.#dispatch(command);
      this.#count(operation, 'OK');
    } catch (error) {
      this.#reject(operation, command.commandId, error);
      if (error instanceof ChatError && error.reason === 'RATE_LIMITED') {
        await sleep(Math.min(error.retryAfterMs ?? 0, maxPauseMs));
      }
    }
  }

  async #dispatch(command: Exclude<Incoming, OperationCommand>): Promise<void> {
    const { commandId } = command;
    switch (command.kind) {
      case 'subscribe': {
        const findMembership = () => this.#deps.service.getMembership(this.#principal, command.chatId);
        return this.#subscriptions.subscribe(commandId, findMembership, command.cursor);
      }
      case 'subscribe_all':
        await this.#subscriptions.subscribeAll(commandId, command.cursors, command.others);
        return this.#tell({ kind: 'accepted', commandId });
      case 'unsubscribe':
        await this.#subscriptions.unsubscribe(command.chatId);
        return this.#tell({ kind: 'accepted', commandId });
      case 'authenticate':
        await this.#authenticate(command.token);
        return this.#tell({ kind: 'accepted', commandId });
      case 'ping':
        return this.#tell({ kind: 'pong', commandId });
      case 'invalid':
        throw command.error;
      default:
        command satisfies never;
    }
  }

  async #operate(command: OperationCommand): Promise<void> {
    const { commandId, operation, pipelined } = command;
    const answered = command.run(this.#principal).then(
      (receipt) => {
        this.#tell({ kind: 'accepted', commandId, ...(receipt && { receipt }) });
        this.#count(operation, 'OK');
      },
      (error) => this.#reject(operation, commandId, error),
    );
    if (!pipelined) return answered;
    this.#pending ??= new Set();
    const pending = this.#pending.add(answered);
    void answered.finally(() => pending.delete(answered));
    if (pending.size >= this.#options.maxPendingSends) await Promise.race(pending);
  }

  async #authenticate(token: string): Promise<void> {
    const principal = await this.#deps.verifier.verify(token);
    if (principal.userId !== this.userId) {
      throw new ChatError('OTHER_USERS_TOKEN', 'the token is of another user than the one who opened the stream');
    }
    this.#deps.revocations.check(principal);
    authorizeToken('ConnectChat', principal);
    this.#principal = principal;
    this.#watchExpiry();
  }

  #watchExpiry(): void {
    clearTimeout(this.#expiry);
    if (this.#closing) return;
    const remainingMs = this.#principal.tokenExpiresAt.getTime() - Date.now();
    this.#expiry = setTimeout(
      () => {
        if (this.#principal.tokenExpiresAt.getTime() > Date.now()) return this.#watchExpiry();
        void this.close('TOKEN_EXPIRED', new ChatError('TOKEN_EXPIRED', 'the access token has expired'));
      },
      // The token may have expired by this node's clock: the verifier tolerates a small difference between clocks.
      Math.min(Math.max(remainingMs, 0), maxTimeoutMs),
    );
  }

  #reject(operation: Operation, commandId: string, cause: unknown): void {
    const known = cause instanceof ChatError;
    if (!known) this.#deps.log.error({ err: cause, ...this.#ids, commandId }, 'a command failed');
    const error = known ? cause : new ChatError('INTERNAL', `internal error (session ${this.id})`);
    this.#tell({ kind: 'rejected', commandId, error });
    this.#deps.counters.refusals.add(1, { reason: error.reason });
    this.#count(operation, error.code);
  }

  #count(operation: Operation, code: ErrorCode | 'OK'): void {
    this.#deps.counters.commands.add(1, { operation, grpc_code: code });
  }

  /** What identifies the stream in the log. */
  get #ids() {
    return { sessionId: this.id, traceId: this.#traceId };
  }

  #tell(event: Event): void {
    this.#outbound.push(this.#encoder.encode(event));
  }

  #end(): void {
    this.#closing = true;
    clearTimeout(this.#expiry);
    this.#subscriptions.close();
    this.#outbound.end();
  }

  /** Stops writing, and settles the promise of `run`. */
  #finish(): void {
    if (!this.#running) return;
    const { sender, resolve, reject } = this.#running;
    this.#running = undefined;
    sender.stop();
    this.#end();
    if (sender.failure) reject(sender.failure.error);
    else if (this.#endError !== undefined) reject(this.#endError);
    else resolve();
  }
}

function operationOf(command: Incoming): Operation {
  switch (command.kind) {
    case 'operation':
      return command.operation;
    case 'invalid':
      return 'ConnectChat';
    default:
      return ownOperations[command.kind];
  }
}

/** What a session needs only while it runs. */
interface Running {
  commands: Inbox<readonly Incoming[]>;
  sender: FrameSender;
  signal: LightAbortSignal;
  resolve: () => void;
  reject: (error: unknown) => void;
}
