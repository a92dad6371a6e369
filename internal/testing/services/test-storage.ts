import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { ChangeDraft, NewContent } from '../../model/change.ts';
import type { Draft, Message, MessageOptions } from '../../model/message.ts';
import type { User } from '../../model/user.ts';
import type { ChangeRules } from '../../repository/change-repository.ts';
import type { Guard } from '../../repository/guard.ts';
import type { NewMessage } from '../../repository/message-repository.ts';
import { PostgresChatBanRepository } from '../../repository/postgres/bans/postgres-chat-ban-repository.ts';
import { PostgresChangeRepository } from '../../repository/postgres/changes/postgres-change-repository.ts';
import { PostgresChatRepository } from '../../repository/postgres/chats/postgres-chat-repository.ts';
import { createDatabase, type Database } from '../../repository/postgres/connection/database.ts';
import { PostgresMemberRepository } from '../../repository/postgres/members/postgres-member-repository.ts';
import { PostgresMembershipRepository } from '../../repository/postgres/members/postgres-membership-repository.ts';
import { PostgresPersonalSettingsRepository } from '../../repository/postgres/members/postgres-personal-settings-repository.ts';
import { PostgresReadMarkRepository } from '../../repository/postgres/members/postgres-read-mark-repository.ts';
import { PostgresReceiptRepository } from '../../repository/postgres/members/postgres-receipt-repository.ts';
import { PostgresMentionRepository } from '../../repository/postgres/messages/postgres-mention-repository.ts';
import { PostgresMessageRepository } from '../../repository/postgres/messages/postgres-message-repository.ts';
import { PostgresReactionRepository } from '../../repository/postgres/reactions/postgres-reaction-repository.ts';
import { PostgresStreamRepository } from '../../repository/postgres/streams/postgres-stream-repository.ts';
import { PostgresUserRepository } from '../../repository/postgres/users/postgres-user-repository.ts';
import type { StreamRules } from '../../repository/stream-repository.ts';
import { createTestDatabase } from './test-database.ts';

/** The repositories on a database of their own, without a service on top. */
export interface TestStorage {
  dsn: string;
  database: Database;
  users: PostgresUserRepository;
  chats: PostgresChatRepository;
  members: PostgresMemberRepository;
  memberships: PostgresMembershipRepository;
  readMarks: PostgresReadMarkRepository;
  receipts: PostgresReceiptRepository;
  settings: PostgresPersonalSettingsRepository;
  mentions: PostgresMentionRepository;
  chatBans: PostgresChatBanRepository;
  messages: PostgresMessageRepository;
  /** Opens a connection outside the pool, to hold locks with. It is closed with the storage. */
  connect(): Promise<pg.Client>;
  changes: PostgresChangeRepository;
  reactions: PostgresReactionRepository;
  streams: PostgresStreamRepository;
  /** Edits a message as a backend. Returns the message's new state. */
  edit(message: { chatId: string; id: string }, text: string, more?: Pick<NewContent, 'mentions'>): Promise<Message>;
  /** Deletes a message as a backend. Returns the message's new state. */
  delete(message: { chatId: string; id: string }, hide?: boolean): Promise<Message>;
  close(): Promise<void>;
}

export async function openTestStorage({ maxMembers = 1_000, poolSize = 24 } = {}): Promise<TestStorage> {
  const dsn = await createTestDatabase();
  const database = createDatabase({ dsn, poolSize, statementTimeoutMs: 10_000, onError: () => {} });
  await database.epochs.refresh();
  const users = new PostgresUserRepository(database);
  const messages = new PostgresMessageRepository(database);
  const changes = new PostgresChangeRepository(database);
  const change = async ({ chatId, id }: { chatId: string; id: string }, what: ChangeDraft['change']) => {
    const draft = { chatId, messageId: id, actorId: 'backend', clientChangeId: randomUUID(), change: what };
    const newChange = { ...draft, ifVersion: undefined, asService: true, digest: Buffer.from('digest') };
    const [changed] = await changes.appendBatch([newChange], anyChange, 10_000);
    if (changed?.outcome !== 'stored') throw new Error(`the change was not stored: ${changed?.outcome}`);
    return changed.message;
  };
  const clients: pg.Client[] = [];
  return {
    dsn,
    database,
    users,
    chats: new PostgresChatRepository({ database, users }, { maxMembers }),
    members: new PostgresMemberRepository(database, { maxMembers }),
    memberships: new PostgresMembershipRepository(database),
    readMarks: new PostgresReadMarkRepository(database),
    receipts: new PostgresReceiptRepository(database),
    settings: new PostgresPersonalSettingsRepository(database),
    mentions: new PostgresMentionRepository(database),
    chatBans: new PostgresChatBanRepository(database),
    messages,
    changes,
    reactions: new PostgresReactionRepository(database),
    streams: new PostgresStreamRepository(database),
    async connect() {
      const client = new pg.Client({ connectionString: dsn });
      client.on('error', () => {});
      clients.push(client);
      await client.connect();
      return client;
    },
    async edit(message, text, more) {
      return change(message, { kind: 'edited', text, ...more });
    },
    async delete(message, hide = false) {
      return change(message, { kind: 'deleted', hide, reason: '' });
    },
    async close() {
      await Promise.all(clients.map((client) => client.end()));
      await database.close();
    },
  };
}

/** Rules without limits of time. */
export const anyChange: ChangeRules = {
  sendingRoles: ['MEMBER', 'ADMIN', 'OWNER'],
  moderatingRoles: ['ADMIN', 'OWNER'],
  editWindowMs: 0,
  deleteWindowMs: 0,
  keepVersions: true,
};

/** Rules with a limit that no test reaches by accident. */
export const anyStream: StreamRules = { sendingRoles: ['MEMBER', 'ADMIN', 'OWNER'], maxTextLength: 100_000 };

/** A guard that allows every change. */
export const allow: Guard = () => {};

export function user(id: string): User {
  return { id, name: `${id}'s name` };
}

/** Creates a message as the writer passes it to the repository. */
export function newMessage(
  chatId: string,
  senderId: string,
  {
    text = 'text',
    clientMessageId = randomUUID(),
    ...options
  }: Partial<Pick<Draft, 'text' | 'clientMessageId'>> & MessageOptions = {},
): NewMessage {
  const contentHash = createHash('sha256').update(text).digest().subarray(0, 16);
  return { id: uuidv7(), chatId, sender: user(senderId), clientMessageId, text, ...options, contentHash };
}
