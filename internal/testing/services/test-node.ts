import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { ConnectChatResponse, type Event, type Message } from '../../../pkg/api/chat/v1/chat.ts';
import { JoseSigningKeys } from '../../client/auth/jose-signing-keys.ts';
import { JoseTokenIssuer } from '../../client/auth/jose-token-issuer.ts';
import { JoseTokenVerifier } from '../../client/auth/jose-token-verifier.ts';
import type { Bus } from '../../client/bus/bus.ts';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import { MemoryPresence } from '../../client/presence/memory-presence.ts';
import { ProtobufEventEncoder } from '../../converter/event.ts';
import { features } from '../../model/feature.ts';
import type { Principal, TokenRole } from '../../model/principal.ts';
import { MemoryRateLimiter, type Rate } from '../../ratelimiter/memory-rate-limiter.ts';
import type { ChangeRules } from '../../repository/change-repository.ts';
import type { ChatRepository } from '../../repository/chat-repository.ts';
import type { MembershipRepository } from '../../repository/membership-repository.ts';
import type { MessageRepository } from '../../repository/message-repository.ts';
import { PostgresSigningKeyRepository } from '../../repository/postgres/accounts/postgres-signing-key-repository.ts';
import type { UserRepository } from '../../repository/user-repository.ts';
import { Revocations, type RevocationsDeps } from '../../service/accounts/revocations.ts';
import { ChangeService } from '../../service/chats/change-service.ts';
import { ChatService } from '../../service/chats/chat-service.ts';
import { ReactionService } from '../../service/chats/reaction-service.ts';
import { ReceiptService } from '../../service/chats/receipt-service.ts';
import { StreamService } from '../../service/chats/stream-service.ts';
import { Hub, type HubOptions } from '../../service/delivery/hub.ts';
import type { UnwrittenMessages } from '../../service/ingest/unwritten-messages.ts';
import { frameIterator } from '../../service/sessions/frame-iterator.ts';
import { IteratedInbox } from '../../service/sessions/inbox.ts';
import { PresenceAnnouncer } from '../../service/sessions/presence-announcer.ts';
import { type Incoming, Session, type SessionOptions } from '../../service/sessions/session.ts';
import { sessionCounters } from '../../service/sessions/session-counters.ts';
import { SessionRegistry } from '../../service/sessions/session-registry.ts';
import type { WriterOptions } from '../../service/writing/batch-writer.ts';
import { ChangeWriter } from '../../service/writing/change-writer.ts';
import { MessageWriter } from '../../service/writing/message-writer.ts';
import { ReactionWriter } from '../../service/writing/reaction-writer.ts';
import { StreamWriter } from '../../service/writing/stream-writer.ts';
import { toOperationCommand } from '../../transport/shared/operations/stream-operations.ts';
import type { TestStorage } from './test-storage.ts';
import { anyChange, anyStream, user } from './test-storage.ts';

export interface TestNodeOptions {
  /** As if with INGEST=jetstream. */
  unwritten?: Pick<UnwrittenMessages, 'settle'>;
  bus?: Bus;
  chats?: ChatRepository;
  memberships?: MembershipRepository;
  users?: UserRepository;
  messages?: MessageRepository;
  hub?: Partial<HubOptions>;
  session?: Partial<SessionOptions>;
  writer?: Partial<WriterOptions>;
  changes?: Partial<ChangeRules>;
  streams?: { flushMs?: number; timeoutMs?: number; maxTextLength?: number };
  /** The limit of messages, and of all other commands; undefined: none. */
  rate?: Rate;
  /** The sources of ended sessions and of bans; undefined: none. */
  revoked?: Omit<RevocationsDeps, 'log'>;
}

const auth = { issuer: 'test', audience: 'chat', ttlMs: 60_000 };

/** A node without transports: the service layer on a real database. Several nodes may share a database and a bus. */
export type TestNode = Awaited<ReturnType<typeof startTestNode>>;

export async function startTestNode(storage: TestStorage, options: TestNodeOptions = {}) {
  const { chats, members, memberships, readMarks, receipts, settings, mentions, users, messages } = {
    ...storage,
    ...options,
  };
  const { epochs } = storage.database;
  const { bus = new MemoryBus(), rate = { points: 0, seconds: 1 } } = options;
  const log = pino({ level: 'silent' });
  const keys = await JoseSigningKeys.open(new PostgresSigningKeyRepository(storage.database));
  const issuer = new JoseTokenIssuer(keys, auth);
  const verifier = new JoseTokenVerifier(keys.find, { ...auth, algorithms: ['EdDSA'] });
  const limiter = new MemoryRateLimiter({ named: { SendMessage: rate }, others: rate });
  const writerOptions = { maxBatch: 100, maxInFlight: 2, maxQueued: 1_000, giveUpAfterMs: 4_000, ...options.writer };
  const writer = new MessageWriter({ messages, bus, log }, writerOptions);
  const changeWriter = new ChangeWriter(
    { changes: storage.changes, bus, log },
    { ...anyChange, ...options.changes },
    { ...writerOptions, maxInFlight: 1 },
  );
  const hub = new Hub(
    { bus, messages, memberships, epochs, log },
    { repairIntervalMs: 50, lingerMs: 1_000, stragglerMs: 10, recentChars: 20_000, pageSize: 10, ...options.hub },
  );
  const presence = new MemoryPresence();
  const service = new ChatService(
    { chats, members, memberships, messages, writer, presence, bus, epochs },
    { maxTextLength: 100_000, features: new Set(features), createRoomsOnJoin: true, maxSignalMembers: 100 },
  );
  const changes = new ChangeService(
    { changes: storage.changes, writer: changeWriter, messages, chats: service, epochs, unwritten: options.unwritten },
    { maxTextLength: 100_000, features: new Set(features) },
  );
  const reactionWriter = new ReactionWriter(
    { reactions: storage.reactions, bus, log },
    { reactingRoles: anyChange.sendingRoles, maxKinds: 50 },
    { ...writerOptions, maxInFlight: 1 },
  );
  const reactions = new ReactionService(
    { reactions: storage.reactions, writer: reactionWriter, unwritten: options.unwritten },
    { allowShortCodes: false, features: new Set(features) },
  );
  const streamWriter = new StreamWriter(
    { streams: storage.streams, bus, log },
    { ...anyStream, ...options.streams },
    { ...writerOptions, maxInFlight: 1, flushMs: 5, ...options.streams },
  );
  const streams = new StreamService(
    { streams: storage.streams, writer: streamWriter, messages, bus, log },
    { features: new Set(features), timeoutMs: options.streams?.timeoutMs ?? 60_000 },
  );
  const receiptService = new ReceiptService(
    { chats, memberships, readMarks, receipts, settings, mentions, bus },
    { maxSignalMembers: 100 },
  );
  const services = {
    chats: service,
    changes,
    receipts: receiptService,
    reactions,
    streams,
    moderation: undefined as never,
    threads: undefined as never,
  };
  const presenceAnnouncer = new PresenceAnnouncer(
    { bus, memberships, presence, log },
    { graceMs: 100, maxMembers: 100 },
  );
  const revocations = new Revocations(
    { ...options.revoked, log },
    {
      pollMs: 250,
      maxBackoffMs: 500,
      readTimeoutMs: 5_000,
      fullReadMs: 60_000,
      rememberMs: 60_000,
      startTimeoutMs: 5_000,
    },
  );
  await revocations.start();
  const stores = { chats, memberships, users, messages, epochs };
  const deps = {
    ...stores,
    service,
    hub,
    verifier,
    revocations,
    limiter,
    presence,
    presenceAnnouncer,
    counters: sessionCounters(),
    log,
  };
  const admission = { perSecond: 100_000, maxWaiting: 0 };
  const maxStreamsPerUser = 0;
  const sessionOptions: SessionOptions = {
    limits: { maxTextLength: 100_000, maxFrameBytes: 100_000, maxCommandsPerFrame: 100, maxSubscriptions: 100 },
    outboxBytes: 50_000,
    frameBytes: 10_000,
    pageSize: 10,
    maxPendingSends: 100,
    closingGraceMs: 500,
    ...options.session,
  };
  const encoder = new ProtobufEventEncoder();
  const opened: TestStream[] = [];
  return {
    service,
    changes,
    reactions,
    streams,
    hub,
    writer,
    issuer,
    presence,
    revocations,
    bus,
    /** Creates the command of an operation, as the transports do. */
    command: (commandId: string, command: Parameters<typeof toOperationCommand>[2]) =>
      toOperationCommand(services, commandId, command),
    sessions: new SessionRegistry(deps, { ...sessionOptions, admission, maxStreamsPerUser }),
    /** Opens a stream with a token that is valid for `ttlMs`. */
    open(
      userId: string,
      {
        ttlMs = 60_000,
        paused = false,
        roles = ['user'],
      }: { ttlMs?: number; paused?: boolean; roles?: TokenRole[] } = {},
    ): TestStream {
      const tokenExpiresAt = new Date(Date.now() + ttlMs);
      const principal = { ...principalOf(userId), roles, tokenExpiresAt };
      const session = new Session(deps, sessionOptions, { id: randomUUID(), principal, encoder, transport: 'grpc' });
      const stream = new TestStream(session, paused);
      opened.push(stream);
      return stream;
    },
    async stop() {
      for (const stream of opened) stream.cancel();
      await Promise.all(opened.map(({ ended }) => ended));
      revocations.close();
      await hub.stop();
      await Promise.all([writer.drain(), changeWriter.drain(), reactionWriter.drain(), streamWriter.drain()]);
      await bus.close();
    },
  };
}

export function principalOf(userId: string): Principal {
  return { userId, name: user(userId).name, roles: ['user'], tokenExpiresAt: new Date(Date.now() + 60_000) };
}

type AnyEvent = NonNullable<Event['event']>;
type Kind = AnyEvent['$case'];
type Value<K extends Kind> = Extract<AnyEvent, { $case: K }>['value'];

/** The client's end of a session: records its events, at the pace at which the test lets it read. */
export class TestStream {
  readonly session: Session;
  readonly events: AnyEvent[] = [];
  readonly frames: Uint8Array[] = [];
  /** The most bytes that have ever been queued for this reader. */
  mostQueued = 0;
  /** Resolves when the session ends, with the error that it threw. */
  readonly ended: Promise<unknown>;
  readonly #controller = new AbortController();
  #commands: Incoming[][] = [];
  #halfClosed = false;
  #failure: unknown;
  #wakeReader = () => {};
  #paused: PromiseWithResolvers<void> | undefined;

  constructor(session: Session, paused: boolean) {
    this.session = session;
    if (paused) this.#paused = Promise.withResolvers<void>();
    this.ended = this.#read();
  }

  /** Sends a frame of commands. */
  send(...commands: Incoming[]): void {
    this.#commands.push(commands);
    this.#wakeReader();
  }

  subscribe(chatId: string, afterSeq?: number): void {
    this.send({
      kind: 'subscribe',
      commandId: `subscribe ${chatId}`,
      chatId,
      ...(afterSeq !== undefined && { cursor: { seq: afterSeq, epoch: '' } }),
    });
  }

  /** Reads no frame until `resume`. */
  pause(): void {
    this.#paused ??= Promise.withResolvers<void>();
  }

  resume(): void {
    this.#paused?.resolve();
    this.#paused = undefined;
  }

  halfClose(): void {
    this.#halfClosed = true;
    this.#wakeReader();
  }

  /** Makes the stream of commands fail with `error`, as when a client sends something that cannot be decoded. */
  fail(error: unknown): void {
    this.#failure = error;
    this.#wakeReader();
  }

  cancel(): void {
    this.#controller.abort();
    this.resume();
  }

  of<K extends Kind>(kind: K): Value<K>[] {
    return this.events.filter((event) => event.$case === kind).map(({ value }) => value as Value<K>);
  }

  messages(chatId: string): Message[] {
    return this.of('message').filter((message) => message.chatId === chatId);
  }

  /** What was delivered of the chat, in order: each entry's first and last number, and its message. */
  entries(chatId: string): { from: number; to: number; message?: Message }[] {
    return this.events.flatMap((event) => {
      if (event.$case === 'messagePart' && event.value.chatId === chatId) {
        return [{ from: event.value.seq, to: event.value.seq }];
      }
      if (event.$case === 'message' && event.value.chatId === chatId) {
        return [{ from: event.value.seq, to: event.value.seq, message: event.value }];
      }
      if (event.$case === 'messageChanged' && event.value.message?.chatId === chatId) {
        const { message } = event.value;
        return [{ from: message.updateSeq, to: message.updateSeq, message }];
      }
      if (event.$case === 'covered' && event.value.chatId === chatId) {
        return [{ from: event.value.fromSeq, to: event.value.toSeq }];
      }
      return [];
    });
  }

  /** The last numbers of what was delivered of the chat, in order. */
  numbers(chatId: string): number[] {
    return this.entries(chatId).map(({ to }) => to);
  }

  async #read(): Promise<unknown> {
    try {
      const run = this.session.run.bind(this.session, new IteratedInbox(this.#incoming(), (frame) => frame));
      for await (const frame of frameIterator(run, this.#controller.signal)) {
        this.mostQueued = Math.max(this.mostQueued, this.session.queuedBytes + frame.bytes.length);
        this.frames.push(frame.bytes);
        for (const { event } of ConnectChatResponse.decode(frame.bytes).events) if (event) this.events.push(event);
        await this.#paused?.promise;
      }
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async *#incoming(): AsyncGenerator<Incoming[], void, undefined> {
    while (!this.#controller.signal.aborted) {
      if (this.#failure) throw this.#failure;
      const next = this.#commands.shift();
      if (next) yield next;
      else if (this.#halfClosed) return;
      else
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
          this.#controller.signal.addEventListener('abort', () => resolve(), { once: true });
        });
    }
  }
}
