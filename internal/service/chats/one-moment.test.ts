import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import { MemoryPresence } from '../../client/presence/memory-presence.ts';
import { features } from '../../model/feature.ts';
import { PostgresAuditRepository } from '../../repository/postgres/audit/postgres-audit-repository.ts';
import { PostgresBanRepository } from '../../repository/postgres/bans/postgres-ban-repository.ts';
import { principalOf } from '../../testing/services/test-node.ts';
import { allow, newMessage, openTestStorage, type TestStorage, user } from '../../testing/services/test-storage.ts';
import { MessageWriter } from '../writing/message-writer.ts';
import { ChatService } from './chat-service.ts';
import { ModerationService } from './moderation-service.ts';
import { ReceiptService } from './receipt-service.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

const me = principalOf('me');

interface Services {
  chats: ChatService;
  moderation: ModerationService;
  receipts: ReceiptService;
}

/** Services that call `onRead` before each of their reads. */
function newServices(presence: MemoryPresence, onRead: () => Promise<void>): Services {
  const bus = new MemoryBus();
  const options = { maxBatch: 10, maxInFlight: 1, maxQueued: 10, giveUpAfterMs: 1_000 };
  const writer = new MessageWriter({ messages: storage.messages, bus, log: pino({ level: 'silent' }) }, options);
  const watched = <T extends object>(repository: T): T =>
    new Proxy(repository, {
      get(target, name) {
        const method = Reflect.get(target, name, target) as (...args: unknown[]) => unknown;
        return async (...args: unknown[]) => {
          await onRead();
          return method.apply(target, args);
        };
      },
    });
  const { chats, members, memberships, readMarks, messages, chatBans, users, receipts, settings, mentions, database } =
    storage;
  const [bans, audit] = [new PostgresBanRepository(database), new PostgresAuditRepository(database)];
  return {
    chats: new ChatService(
      {
        chats: watched(chats),
        members: watched(members),
        memberships: watched(memberships),
        messages: watched(messages),
        writer,
        presence,
        bus,
        epochs: database.epochs,
      },
      { maxTextLength: 10, features: new Set(features), createRoomsOnJoin: true, maxSignalMembers: 3 },
    ),
    moderation: new ModerationService({
      members: watched(members),
      chatBans: watched(chatBans),
      users,
      bans,
      audit,
      bus,
    }),
    receipts: new ReceiptService(
      {
        chats: watched(chats),
        memberships: watched(memberships),
        readMarks: watched(readMarks),
        receipts: watched(receipts),
        settings,
        mentions,
        bus,
      },
      { maxSignalMembers: 1_000 },
    ),
  };
}

type Call = (services: Services, ids: { chatId: string; messageId: string }) => Promise<unknown>;

/** Every call that reads one chat. */
const calls: Record<string, Call> = {
  GetChat: ({ chats }, { chatId }) => chats.getChat(me, chatId),
  ListMembers: ({ chats }, { chatId }) => chats.listMembers(me, chatId, 100),
  ListOnlineUsers: ({ chats }, { chatId }) => chats.listOnlineUsers(me, chatId, 100),
  ListBans: ({ moderation }, { chatId }) => moderation.listBans(me, chatId, 100),
  GetMessage: ({ chats }, { chatId, messageId }) => chats.getMessage(me, chatId, messageId),
  ListMessages: ({ chats }, { chatId }) => chats.listMessages(me, chatId, 'newest', 100),
  MarkRead: ({ receipts }, { chatId }) => receipts.markRead(me, chatId, 1),
  'the read mark': ({ receipts }, { chatId }) => receipts.getReadMark('MarkRead', me, chatId),
  ListReceipts: ({ receipts }, ids) => receipts.listReceipts(me, ids, 100),
  Subscribe: ({ chats }, { chatId }) => chats.getMembership(me, chatId),
};

/** A chat with one of everything that a call can return; each further call adds to all of it and changes what is there. */
async function openChat(type: 'GROUP' | 'ROOM') {
  const presence = new MemoryPresence();
  const owner = user('alice');
  const { chat } = await (type === 'GROUP'
    ? storage.chats.createGroup(owner, 'group', [])
    : storage.chats.createRoom(owner, `room-${randomUUID()}`, []));
  const [first] = await storage.messages.appendBatch([newMessage(chat.id, 'alice', { text: 'first' })], ['OWNER']);
  const ids = { chatId: chat.id, messageId: first!.messageId };
  const change = async () => {
    const online = user(`online-${randomUUID()}`);
    await presence.enter(randomUUID(), online);
    await storage.members.add(chat.id, owner, [online.id], allow);
    await storage.chatBans.ban(chat.id, owner, { userId: `banned-${randomUUID()}`, reason: '' }, allow);
    await storage.edit({ chatId: chat.id, id: ids.messageId }, `edited ${randomUUID()}`);
    await storage.messages.appendBatch([newMessage(chat.id, 'alice')], ['OWNER']);
  };
  const join = async () => {
    await storage.members.add(chat.id, owner, [me.userId], allow);
    await storage.members.setRole(chat.id, owner, me.userId, 'ADMIN', allow);
  };
  const leave = () => storage.members.remove(chat.id, owner, me.userId, allow);
  await change();
  return { ids, presence, change, join, leave };
}

/** What a call answers: its value, or the reason for which it was refused. */
const outcome = (answer: Promise<unknown>) =>
  answer.then(
    (value) => ({ value }),
    (error) => ({ refused: error.reason ?? error }),
  );

describe.each(Object.entries(calls))('%s answers what was true at one moment', (_, call) => {
  test.each([
    ['GROUP', 'removed'],
    ['GROUP', 'added'],
    ['ROOM', 'removed'],
    ['ROOM', 'added'],
  ] as const)('of a %s whose reader is %s meanwhile', async (type, happens) => {
    for (let place = 1; ; place += 1) {
      const { ids, presence, change, join, leave } = await openChat(type);
      if (happens === 'removed') await join();
      let reads = 0;
      const services = newServices(presence, async () => {
        reads += 1;
        if (reads !== place) return;
        // The reader is never a member together with what is changed.
        if (happens === 'removed') await leave();
        await change();
        if (happens === 'added') await join();
      });
      const undisturbed = newServices(presence, async () => {});
      const before = await outcome(call(undisturbed, ids));
      const answer = await outcome(call(services, ids));
      const after = await outcome(call(undisturbed, ids));
      if (reads < place) return;
      expect([before, after]).toContainEqual(answer);
    }
  });
});
