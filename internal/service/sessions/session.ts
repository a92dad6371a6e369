import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { TokenVerifier } from '../../client/auth/token-verifier.ts';
import type { Command } from '../../model/command.ts';
import { ChatError } from '../../model/errors.ts';
import type { CloseReason, Event, SessionLimits } from '../../model/event.ts';
import type { LightAbortSignal } from '../../model/light-abort.ts';
import type { Receipt } from '../../model/message.ts';
import type { Operation } from '../../model/operations.ts';
import type { Principal } from '../../model/principal.ts';
import type { RateLimiter } from '../../ratelimiter/rate-limiter.ts';
import type { ChatRepository } from '../../repository/chat-repository.ts';
import type { MembershipRepository } from '../../repository/membership-repository.ts';
import type { MessageRepository } from '../../repository/message-repository.ts';
import type { Revocations } from '../accounts/revocations.ts';
import { authorizeToken } from '../authorization.ts';
import type { ChatService } from '../chats/chat-service.ts';
import type { EventEncoder } from '../delivery/event-encoder.ts';
import type { Hub } from '../delivery/hub.ts';
import { OutboundBuffer } from '../delivery/outbound-buffer.ts';
import { Subscriptions } from '../delivery/subscriptions.ts';
import { FrameSender, type FrameWriter, type WriteFailure } from './frame-sender.ts';
import type { Inbox } from './inbox.ts';

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
  /** What may wait for a reader, in bytes, before it is served from the database. */
  outboxBytes: number;
  /** A frame of events is closed once it has this many bytes. */
  frameBytes: number;
  /** Messages of a page from the database. */
  pageSize: number;
  /** Sends that wait for their commit at the same time; beyond that no more commands are read. */
  maxPendingSends: number;
  /** How long a reader may take to take the last frames once the session is being closed, in milliseconds. */
  closingGraceMs: number;
}

export interface SessionDeps {
  service: Pick<ChatService, 'getMembership'>;
  hub: Hub;
  chats: ChatRepository;
  memberships: MembershipRepository;
  messages: MessageRepository;
  verifier: TokenVerifier;
  revocations: Pick<Revocations, 'check' | 'onChange'>;
  limiter: RateLimiter;
  log: Logger;
}

/** A stream that exceeded its rate is not read from for this long at the most, in milliseconds. */
const maxPauseMs = 1_000;
const maxTimeoutMs = 2 ** 31 - 1;

/** Reasons for which not even what was queued may be shown any more. */
const shutOut: ReadonlySet<CloseReason> = new Set(['TOKEN_EXPIRED', 'SESSION_REVOKED', 'BANNED']);

/** The operation that a command about the stream itself counts as. */
const ownOperations = {
  subscribe: 'Subscribe',
  subscribe_all: 'SubscribeAll',
  unsubscribe: 'ConnectChat',
  authenticate: 'ConnectChat',
  ping: 'ConnectChat',
} as const satisfies Record<Command['kind'], Operation>;

/** One open stream of one user: carries out its commands and queues its events. The same for every transport. */
export class Session {
  readonly id: string;
  readonly #deps: SessionDeps;
  readonly #options: SessionOptions;
  readonly #encoder: EventEncoder;
  readonly #outbound: OutboundBuffer;
  readonly #subscriptions: Subscriptions;
  /** Sends without an answer; a stream that only reads has none. */
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
      onClosing = () => {},
    }: {
      id: string;
      principal: Principal;
      encoder: EventEncoder;
      onClosing?: () => void;
    },
  ) {
    this.id = id;
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
        outbound: this.#outbound,
        encoder,
        userId: principal.userId,
        onRetry: (err) => deps.log.warn({ err, sessionId: id }, 'could not read for a stream; trying again'),
      },
      { maxSubscriptions: options.limits.maxSubscriptions, pageSize: options.pageSize },
    );
  }

  get userId(): string {
    return this.#principal.userId;
  }

  /** As the newest token that the stream was given says. */
  get principal(): Principal {
    return this.#principal;
  }

  /** What waits for the reader, in bytes. */
  get queuedBytes(): number {
    return this.#outbound.bytes;
  }

  /**
   * Carries out the commands and hands `write` the frames of events, the next one once the promise that it may have returned for the
   * one before is fulfilled; until the client has half-closed and has all its answers, the session is closed, or the signal
   * aborts. Throws what ended the session: UNAVAILABLE (DRAINING), UNAUTHENTICATED (TOKEN_EXPIRED, SESSION_REVOKED), PERMISSION_DENIED
   * (BANNED), INVALID_ARGUMENT (MALFORMED_FRAME); and what `write` throws. Call once.
   */
  run(commands: Inbox<readonly Incoming[]>, write: FrameWriter, signal: LightAbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onFinished = (failure?: WriteFailure) => this.#finish(failure);
      const sender = new FrameSender({ outbound: this.#outbound, write, onFinished });
      this.#running = { commands, sender, signal, resolve, reject };
      const { userId, name, tokenExpiresAt } = this.#principal;
      const { limits } = this.#options;
      this.#tell({ kind: 'welcome', sessionId: this.id, user: { id: userId, name }, limits, tokenExpiresAt });
      this.#watchExpiry();
      if (signal.aborted) return this.#finish();
      signal.addEventListener('abort', () => this.#finish(), { once: true });
      sender.start();
      commands.onReady(() => void this.#readAll());
    });
  }

  /** Ends the session in good order: answers that are under way are given, then `closing`, then the error. Never throws. */
  async close(reason: CloseReason, error: unknown, retryAfterMs = 0): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#onClosing();
    this.#subscriptions.close();
    if (shutOut.has(reason)) this.#outbound.dropMessages();
    await Promise.all(this.#pending ?? []);
    this.#tell({ kind: 'closing', reason, retryAfterMs });
    this.#endError = error;
    this.#end();
  }

  /** Carries out what has come; nothing of it waits for more. Never throws. */
  async #readAll(): Promise<void> {
    const running = this.#running;
    if (!running || this.#carryingOut || this.#closing) return;
    const { commands, signal } = running;
    this.#carryingOut = true;
    try {
      for (let frame = commands.take(); frame; frame = commands.take()) {
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
      // Not the end yet: who takes the answers slowly may lose the right to them meanwhile.
      this.#outbound.end();
    } catch (error) {
      if (signal.aborted) return this.#end();
      this.#deps.log.debug({ err: error, sessionId: this.id }, 'a stream sent a frame that cannot be read');
      await this.close('PROTOCOL_ERROR', error);
    } finally {
      this.#carryingOut = false;
    }
  }

  async #carryOut(command: Incoming): Promise<void> {
    const { commandId } = command;
    try {
      const operation = operationOf(command);
      authorizeToken(operation, this.#principal);
      await this.#deps.limiter.consume(operation, this.userId);
      await this.#dispatch(command);
    } catch (error) {
      this.#reject(commandId, error);
      if (error instanceof ChatError && error.reason === 'RATE_LIMITED') {
        await sleep(Math.min(error.retryAfterMs ?? 0, maxPauseMs));
      }
    }
  }

  async #dispatch(command: Incoming): Promise<void> {
    const { commandId } = command;
    switch (command.kind) {
      case 'operation':
        return this.#operate(command);
      case 'subscribe': {
        const membership = await this.#deps.service.getMembership(this.#principal, command.chatId);
        return this.#subscriptions.subscribe(commandId, membership, command.afterSeq);
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
    const { commandId, pipelined } = command;
    const answered = command.run(this.#principal).then(
      (receipt) => this.#tell({ kind: 'accepted', commandId, ...(receipt && { receipt }) }),
      (error) => this.#reject(commandId, error),
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
      // A token may have expired already by the time it is accepted: clocks differ.
      Math.min(Math.max(remainingMs, 0), maxTimeoutMs),
    );
  }

  #reject(commandId: string, error: unknown): void {
    const known = error instanceof ChatError;
    if (!known) this.#deps.log.error({ err: error, sessionId: this.id, commandId }, 'a command failed');
    this.#tell({
      kind: 'rejected',
      commandId,
      error: known ? error : new ChatError('INTERNAL', `internal error (session ${this.id})`),
    });
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

  /** Nothing is written any more. */
  #finish(failure?: WriteFailure): void {
    if (!this.#running) return;
    const { sender, resolve, reject } = this.#running;
    this.#running = undefined;
    sender.stop();
    this.#end();
    if (failure) reject(failure.error);
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

/** What a session has to do with while it runs. */
interface Running {
  commands: Inbox<readonly Incoming[]>;
  sender: FrameSender;
  signal: LightAbortSignal;
  resolve: () => void;
  reject: (error: unknown) => void;
}
