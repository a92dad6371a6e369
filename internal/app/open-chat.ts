import type { Logger } from 'pino';
import type { Bus } from '../client/bus/bus.ts';
import { MemoryPresence } from '../client/presence/memory-presence.ts';
import type { traceCalls } from '../client/tracing/trace-calls.ts';
import type { Config } from '../config/config.ts';
import type { RateLimiter } from '../ratelimiter/rate-limiter.ts';
import type { BanRepository } from '../repository/ban-repository.ts';
import type { Database } from '../repository/postgres/database.ts';
import { PostgresAuditRepository } from '../repository/postgres/postgres-audit-repository.ts';
import { PostgresChatRepository } from '../repository/postgres/postgres-chat-repository.ts';
import { PostgresMessageRepository } from '../repository/postgres/postgres-message-repository.ts';
import { ChatService } from '../service/chat-service.ts';
import { Hub } from '../service/hub.ts';
import { MessageWriter } from '../service/message-writer.ts';
import { ModerationService } from '../service/moderation-service.ts';
import { PresenceNews } from '../service/presence-news.ts';
import { SessionRegistry } from '../service/session-registry.ts';
import type { Identity } from './open-identity.ts';
import type { ResourceStack } from './resource-stack.ts';

interface Deps {
  bans: BanRepository;
  bus: Bus;
  database: Database;
  identity: Identity;
  limiter: RateLimiter;
  log: Logger;
  resources: ResourceStack;
  traced: typeof traceCalls;
}

export interface ChatParts {
  service: ChatService;
  moderation: ModerationService;
  sessions: SessionRegistry;
  hub: Hub;
}

/** What the project is for: chats, messages, and those who read them. */
export async function openChat(
  config: Config,
  { bans, bus, database, identity, limiter, log, resources, traced }: Deps,
): Promise<ChatParts> {
  const { limits } = config;
  const chats = traced('ChatRepository', new PostgresChatRepository(database, limits));
  const messages = traced('MessageRepository', new PostgresMessageRepository(database));
  await chats.ensureRooms(config.rooms.names);
  await messages.warmUp(config.postgresPoolSize);

  resources.add('the bus', () => bus.close());
  const presence = new MemoryPresence();
  resources.add('presence', () => presence.close());
  const writer = traced('MessageWriter', new MessageWriter({ messages, bus, log }, config.writer));
  resources.add('the message writer', () => writer.drain());
  const hub = new Hub(
    { bus, messages, chats, log },
    {
      repairIntervalMs: config.repairIntervalMs,
      lingerMs: 30_000,
      stragglerMs: 50,
      recentChars: 65_536,
      pageSize: 200,
    },
  );
  resources.add('the hub', () => hub.stop());
  const service = traced(
    'ChatService',
    new ChatService(
      { chats, messages, writer, presence, bus },
      {
        maxTextLength: limits.maxTextLength,
        createRoomsOnJoin: config.rooms.createOnJoin,
        maxSignalMembers: limits.maxSignalMembers,
      },
    ),
  );
  const moderation = traced(
    'ModerationService',
    new ModerationService({
      chats,
      bans,
      audit: new PostgresAuditRepository(database),
      bus,
      onBansChanged: () => identity.revocations.refresh('bans'),
    }),
  );
  const presenceNews = new PresenceNews(
    { bus, chats, presence, log },
    { graceMs: 3_000, maxMembers: limits.maxSignalMembers },
  );
  resources.add('the news of who is online', () => presenceNews.stop());
  const sessions = new SessionRegistry(
    { service, hub, chats, messages, ...identity, limiter, presence, presenceNews, log },
    {
      limits: {
        maxTextLength: limits.maxTextLength,
        maxFrameBytes: limits.maxFrameBytes,
        maxCommandsPerFrame: limits.maxCommandsPerFrame,
        maxSubscriptions: limits.maxSubscriptions,
      },
      outboxBytes: limits.outboxBytes,
      frameBytes: 65_536,
      pageSize: catchUpPageSize(limits.maxTextLength),
      maxPendingSends: limits.maxPendingSends,
      closingGraceMs: 2_000,
    },
  );
  return { service, moderation, sessions, hub };
}

/** Messages of a page for a reader that catches up: few enough that even the longest texts stay near 2 MiB. */
function catchUpPageSize(maxTextLength: number): number {
  const bytesPerCharacter = 4;
  return Math.max(8, Math.min(100, Math.floor(2_097_152 / (maxTextLength * bytesPerCharacter))));
}
