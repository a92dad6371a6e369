import type { Logger } from 'pino';
import type { Bus } from '../../client/bus/bus.ts';
import type { Metrics } from '../../client/metrics/metrics.ts';
import type { traceCalls } from '../../client/tracing/trace-calls.ts';
import type { Tracing } from '../../client/tracing/tracing.ts';
import type { Config } from '../../config/config.ts';
import type { LiveConfig } from '../../config/live/live-config.ts';
import { operations } from '../../model/operations.ts';
import type { RateLimiter } from '../../ratelimiter/rate-limiter.ts';
import type { BanRepository } from '../../repository/ban-repository.ts';
import type { ChangeRepository } from '../../repository/change-repository.ts';
import type { ChatRepository } from '../../repository/chat-repository.ts';
import type { MessageRepository } from '../../repository/message-repository.ts';
import { PostgresAuditRepository } from '../../repository/postgres/audit/postgres-audit-repository.ts';
import { PostgresChatBanRepository } from '../../repository/postgres/bans/postgres-chat-ban-repository.ts';
import { PostgresChangeRepository } from '../../repository/postgres/changes/postgres-change-repository.ts';
import { PostgresChatRepository } from '../../repository/postgres/chats/postgres-chat-repository.ts';
import { pruneDeletedChats } from '../../repository/postgres/chats/prune-deleted-chats.ts';
import type { Database } from '../../repository/postgres/connection/database.ts';
import { PostgresMemberRepository } from '../../repository/postgres/members/postgres-member-repository.ts';
import { PostgresMembershipRepository } from '../../repository/postgres/members/postgres-membership-repository.ts';
import { PostgresPersonalSettingsRepository } from '../../repository/postgres/members/postgres-personal-settings-repository.ts';
import { PostgresReadMarkRepository } from '../../repository/postgres/members/postgres-read-mark-repository.ts';
import { PostgresReceiptRepository } from '../../repository/postgres/members/postgres-receipt-repository.ts';
import { PostgresMentionRepository } from '../../repository/postgres/messages/postgres-mention-repository.ts';
import { PostgresMessageRepository } from '../../repository/postgres/messages/postgres-message-repository.ts';
import { PostgresReactionRepository } from '../../repository/postgres/reactions/postgres-reaction-repository.ts';
import { PostgresStreamRepository } from '../../repository/postgres/streams/postgres-stream-repository.ts';
import { PostgresThreadRepository } from '../../repository/postgres/threads/postgres-thread-repository.ts';
import { PostgresUserRepository } from '../../repository/postgres/users/postgres-user-repository.ts';
import type { ReactionRepository } from '../../repository/reaction-repository.ts';
import type { StreamRepository } from '../../repository/stream-repository.ts';
import { ChangeService } from '../../service/chats/change-service.ts';
import { ChatService } from '../../service/chats/chat-service.ts';
import { ModerationService } from '../../service/chats/moderation-service.ts';
import { ReactionService } from '../../service/chats/reaction-service.ts';
import { ReceiptService } from '../../service/chats/receipt-service.ts';
import { StreamService } from '../../service/chats/stream-service.ts';
import { ThreadService } from '../../service/chats/thread-service.ts';
import { Hub } from '../../service/delivery/hub.ts';
import { PresenceAnnouncer } from '../../service/sessions/presence-announcer.ts';
import { sessionCounters } from '../../service/sessions/session-counters.ts';
import { SessionRegistry } from '../../service/sessions/session-registry.ts';
import { ChangeWriter } from '../../service/writing/change-writer.ts';
import { MessageWriter } from '../../service/writing/message-writer.ts';
import { ReactionWriter } from '../../service/writing/reaction-writer.ts';
import { StreamWriter } from '../../service/writing/stream-writer.ts';
import { pruneRegularly } from '../lifecycle/prune.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';
import type { Identity } from './open-identity.ts';
import { openIngest } from './open-ingest.ts';
import { openPresence } from './open-presence.ts';
import type { OpenedRedis } from './open-redis.ts';

/** Replacements of ports, each given the real one to build upon. */
export interface ChatOverrides {
  chats?(real: ChatRepository): ChatRepository;
  messages?(real: MessageRepository): MessageRepository;
  changes?(real: ChangeRepository): ChangeRepository;
  reactions?(real: ReactionRepository): ReactionRepository;
  streams?(real: StreamRepository): StreamRepository;
}

interface Deps {
  bans: BanRepository;
  bus: Bus;
  database: Database;
  identity: Identity;
  limiter: RateLimiter;
  log: Logger;
  metrics: Metrics;
  overrides?: ChatOverrides;
  redis: OpenedRedis | undefined;
  resources: ResourceStack;
  traced: typeof traceCalls;
  /** Traces what is written later; false: nothing does. */
  tracing: Tracing | false;
}

export interface ChatParts {
  chats: ChatService;
  changes: ChangeService;
  moderation: ModerationService;
  reactions: ReactionService;
  streams: StreamService;
  threads: ThreadService;
  receipts: ReceiptService;
  sessions: SessionRegistry;
  hub: Hub;
}

/** How messages of deleted chats are removed: rows of one statement, and the time between two rounds in milliseconds. */
const pruning = { batch: 5_000, everyMs: 5_000 };

/** Who may change messages: their senders while they may send, and moderators. */
const changers = {
  sendingRoles: operations.EditMessage.chat.roles,
  moderatingRoles: operations.ListMessageVersions.chat.roles,
};

/** How streamed messages are cancelled whose senders have vanished: messages of one round, and the longest time between two rounds in milliseconds. */
const cancelling = { batch: 1_000, everyMs: 5_000 };

/** How the hub delivers, beside REPAIR_INTERVAL_MS. */
const delivery = {
  /** Readers that reconnect within this time find their chat's newest messages in memory. In milliseconds. */
  lingerMs: 30_000,
  /** How long a message that a later one overtook on the bus is waited for, before the database is asked. In milliseconds. */
  stragglerMs: 50,
  /** The newest messages of a chat that are kept in memory, in characters: some hundreds of usual length. */
  recentChars: 65_536,
  /** Messages that are fetched in one query when some are missing. */
  pageSize: 200,
};

const sessionOptions = {
  /** Bytes after which a frame of events is closed and the next one begins: far less than clients accept. */
  frameBytes: 65_536,
  /** How long the last frames of a stream may take to be read, in milliseconds, before the stream is cut off. */
  closingGraceMs: 2_000,
};

/** Opens the parts that serve chats: repositories, message writer, hub, services and sessions. */
export async function openChat(
  live: LiveConfig<Config>,
  { bans, bus, database, identity, limiter, log, metrics, overrides, redis, resources, traced, tracing }: Deps,
): Promise<ChatParts> {
  const config = live.current;
  const limits = live.follow((settings) => settings.limits);
  const storedUsers = new PostgresUserRepository(database);
  const storedChats = new PostgresChatRepository({ database, users: storedUsers }, limits);
  const storedMessages = new PostgresMessageRepository(database);
  await storedChats.ensureRooms(config.rooms.names);
  await storedMessages.warmUp(database.pool.options.max);
  const prune = (limit: number) => pruneDeletedChats(database.db, limit);
  const stopPruning = pruneRegularly({ what: 'messages of deleted chats', prune, ...pruning, log });
  resources.add('the removal of messages of deleted chats', stopPruning);
  const chats = traced('ChatRepository', overrides?.chats?.(storedChats) ?? storedChats);
  const members = traced('MemberRepository', new PostgresMemberRepository(database, limits));
  const memberships = traced('MembershipRepository', new PostgresMembershipRepository(database));
  const readMarks = traced('ReadMarkRepository', new PostgresReadMarkRepository(database));
  const receiptRepository = traced('ReceiptRepository', new PostgresReceiptRepository(database));
  const mentions = traced('MentionRepository', new PostgresMentionRepository(database));
  const settings = traced('PersonalSettingsRepository', new PostgresPersonalSettingsRepository(database));
  const chatBans = traced('ChatBanRepository', new PostgresChatBanRepository(database));
  const users = traced('UserRepository', storedUsers);
  const messages = traced('MessageRepository', overrides?.messages?.(storedMessages) ?? storedMessages);

  const presence = await openPresence(config, { database, redis, log, resources });
  const ingest = await openIngest(config, { bus, database, log, metrics, resources, tracing });
  const appendTarget = ingest?.acceptor ?? messages;
  const writer = traced(
    'MessageWriter',
    new MessageWriter({ messages: appendTarget, bus, log, metrics }, config.writer),
  );
  resources.add('the message writer', () => writer.drain());
  const storedChanges = new PostgresChangeRepository(database);
  const changeRepository = traced('ChangeRepository', overrides?.changes?.(storedChanges) ?? storedChanges);
  const changeWriter = traced(
    'ChangeWriter',
    new ChangeWriter(
      { changes: changeRepository, bus, log, metrics },
      live.follow((settings) => ({ ...settings.changes, ...changers })),
      { ...config.writer, maxInFlight: 1 },
    ),
  );
  resources.add('the change writer', () => changeWriter.drain());
  const storedReactions = new PostgresReactionRepository(database);
  const reactionRepository = traced('ReactionRepository', overrides?.reactions?.(storedReactions) ?? storedReactions);
  const reactionWriter = traced(
    'ReactionWriter',
    new ReactionWriter(
      { reactions: reactionRepository, bus, log, metrics },
      live.follow(({ limits }) => ({
        maxKinds: limits.maxReactionKinds,
        reactingRoles: operations.AddReaction.chat.roles,
      })),
      { ...config.writer, maxInFlight: 1 },
    ),
  );
  resources.add('the reaction writer', () => reactionWriter.drain());
  const storedStreams = new PostgresStreamRepository(database);
  const streamRepository = traced('StreamRepository', overrides?.streams?.(storedStreams) ?? storedStreams);
  const streamWriter = traced(
    'StreamWriter',
    new StreamWriter(
      { streams: streamRepository, bus, log, metrics },
      { sendingRoles: operations.StartMessage.chat.roles, maxTextLength: config.streams.maxTextLength },
      { ...config.writer, maxInFlight: 1, flushMs: config.streams.flushMs },
    ),
  );
  resources.add('the writer of streamed messages', () => streamWriter.drain());
  if (config.roles.has('writer')) ingest?.writers.start();
  const hub = new Hub(
    { bus, messages, memberships, epochs: database.epochs, log, metrics },
    { ...delivery, repairIntervalMs: config.times.repairIntervalMs },
  );
  resources.add('the hub', () => hub.stop());
  const service = traced(
    'ChatService',
    new ChatService(
      { chats, members, memberships, messages, writer, presence, bus, epochs: database.epochs },
      live.follow(({ limits, features, rooms }) => ({
        maxTextLength: limits.maxTextLength,
        features,
        createRoomsOnJoin: rooms.createOnJoin,
        maxSignalMembers: limits.maxSignalMembers,
      })),
    ),
  );
  const receipts = traced(
    'ReceiptService',
    new ReceiptService(
      { chats, memberships, readMarks, receipts: receiptRepository, settings, mentions, bus },
      live.follow(({ limits }) => ({ maxSignalMembers: limits.maxSignalMembers })),
    ),
  );
  const changes = traced(
    'ChangeService',
    new ChangeService(
      {
        changes: changeRepository,
        writer: changeWriter,
        messages,
        chats: service,
        epochs: database.epochs,
        unwritten: ingest?.unwritten,
      },
      live.follow(({ limits, features }) => ({ maxTextLength: limits.maxTextLength, features })),
    ),
  );
  const reactions = traced(
    'ReactionService',
    new ReactionService(
      { reactions: reactionRepository, writer: reactionWriter, unwritten: ingest?.unwritten },
      live.follow(({ changes: { allowShortCodes }, features }) => ({ allowShortCodes, features })),
    ),
  );
  const streams = traced(
    'StreamService',
    new StreamService(
      { streams: streamRepository, writer: streamWriter, messages, bus, log },
      live.follow(({ features, streams: { timeoutMs } }) => ({ features, timeoutMs })),
    ),
  );
  const stopCancelling = pruneRegularly({
    what: 'streamed messages without a sender',
    prune: (limit) => streams.cancelIdle(limit),
    batch: cancelling.batch,
    everyMs: Math.min(cancelling.everyMs, config.streams.timeoutMs / 4),
    log,
  });
  resources.add('the time-out of streamed messages', stopCancelling);
  const moderation = traced(
    'ModerationService',
    new ModerationService({
      members,
      chatBans,
      users,
      bans,
      audit: new PostgresAuditRepository(database),
      bus,
      onBansChanged: () => identity.revocations.refresh('bans'),
    }),
  );
  const threads = traced(
    'ThreadService',
    new ThreadService({
      threads: traced('ThreadRepository', new PostgresThreadRepository(database)),
      epochs: database.epochs,
    }),
  );
  const presenceAnnouncer = new PresenceAnnouncer(
    { bus, memberships, presence, log },
    live.follow(({ limits, times }) => ({ graceMs: times.presenceGraceMs, maxMembers: limits.maxSignalMembers })),
  );
  presence.onGone((user) => presenceAnnouncer.offline(user));
  presence.onBack((user) => presenceAnnouncer.online(user));
  resources.add('the presence announcer', () => presenceAnnouncer.stop());
  const admission = live.follow(({ limits }) => ({
    perSecond: limits.arrivalsPerSecond,
    maxWaiting: limits.arrivalsMaxWaiting,
  }));
  const sessions = new SessionRegistry(
    {
      service,
      hub,
      chats,
      memberships,
      users,
      messages,
      epochs: database.epochs,
      ...identity,
      limiter,
      presence,
      presenceAnnouncer,
      counters: sessionCounters(metrics),
      log,
    },
    live.follow(({ limits }) => ({
      ...sessionOptions,
      limits: {
        maxTextLength: limits.maxTextLength,
        maxFrameBytes: limits.maxFrameBytes,
        maxCommandsPerFrame: limits.maxCommandsPerFrame,
        maxSubscriptions: limits.maxSubscriptions,
      },
      outboxBytes: limits.outboxBytes,
      pageSize: catchUpPageSize(limits.maxTextLength),
      maxPendingSends: limits.maxPendingSends,
      admission,
      maxStreamsPerUser: limits.maxStreamsPerUser,
    })),
  );
  return { chats: service, changes, moderation, reactions, streams, receipts, threads, sessions, hub };
}

/** Returns the messages per page for a reader that catches up: so few that a page of the longest texts has about 2 MiB. */
function catchUpPageSize(maxTextLength: number): number {
  const bytesPerCharacter = 4;
  return Math.max(8, Math.min(100, Math.floor(2_097_152 / (maxTextLength * bytesPerCharacter))));
}
