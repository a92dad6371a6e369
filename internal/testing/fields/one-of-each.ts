import type { AuditEvent } from '../../model/audit-event.ts';
import type { Ban } from '../../model/ban.ts';
import type { Chat } from '../../model/chat.ts';
import { type Entry, entryOf } from '../../model/entry.ts';
import type { EphemeralEvent } from '../../model/ephemeral-event.ts';
import { ChatError } from '../../model/errors.ts';
import type { Event } from '../../model/event.ts';
import type { Member } from '../../model/member.ts';
import type { AcceptedMessage, Message } from '../../model/message.ts';
import type { ChatPublication } from '../../model/publication.ts';
import type { SystemEvent } from '../../model/system-event.ts';
import type { User } from '../../model/user.ts';

/** T with a value in every field, including optional ones, at any depth. */
export type Filled<T> = T extends Date | Uint8Array | Error
  ? T
  : T extends object
    ? { [K in keyof T]-?: Filled<T[K]> }
    : T;

/** One filled value of each kind of a union. A missing kind or field does not compile. */
export type OneOfEach<T extends { kind: string }> = { [K in T['kind']]: Filled<Extract<T, { kind: K }>> };

const trace = { traceparent: '00-1-2-01' };
const at = new Date(1_700_000_000_123);
const alice: Filled<User> = { id: 'alice', name: 'Alice "😀"' };
const bob: Filled<User> = { id: 'bob *.>:$#', name: '\u0001 \\ \' " 日本' };

export const systemEvents: OneOfEach<SystemEvent> = {
  chat_created: { kind: 'chat_created' },
  members_added: { kind: 'members_added', users: [alice, bob] },
  member_removed: { kind: 'member_removed', user: bob, banned: true },
  member_joined: { kind: 'member_joined' },
  member_left: { kind: 'member_left' },
  owner_changed: { kind: 'owner_changed', user: bob },
  role_changed: { kind: 'role_changed', user: bob, role: 'READER' },
  chat_updated: { kind: 'chat_updated', name: 'name', description: 'about', data: { list: [1, { deep: true }] } },
};

/** One message for each system event. Real system messages have no text; these do, so that no field is empty. */
export const filledMessages = Object.values(systemEvents).map(
  (system, i): Filled<Message> => ({
    id: `message ${i}`,
    chatId: 'chat',
    seq: 8 + i,
    updateSeq: 2 ** 52 + i,
    sender: alice,
    clientMessageId: 'x',
    text: '\u0001 \\ \' " 日本 😀',
    createdAt: at,
    system,
    data: { list: [1, { deep: true }], '\u0001 日本': 'ü' },
    editedAt: new Date(at.getTime() + 1),
    deletion: { at: new Date(at.getTime() + 2), by: 'bob', hidden: true },
    reactions: [{ emoji: '👍🏽', count: 2, seq: 2 ** 51 + i, own: true }],
    type: 'order.shipped',
    silent: true,
    replyTo: { messageId: 'other', seq: 7 },
    rootId: 'root',
    streaming: 'STREAMING',
    thread: { replyCount: 3, lastSeq: 9, lastAt: at, participantIds: ['alice', 'bob'], updateSeq: 10 },
    mentions: [{ userId: 'bob', everyone: true, offset: 1, length: 2 }],
  }),
);
const [message] = filledMessages as [Filled<Message>];

export const ephemeralEvents: OneOfEach<EphemeralEvent> = {
  typing: { kind: 'typing', chatId: 'chat', user: alice },
  presence: { kind: 'presence', chatId: 'chat', user: alice, online: true },
  read: { kind: 'read', chatId: 'chat', userId: 'alice', seq: 4, generation: 3 },
  delivered: { kind: 'delivered', chatId: 'chat', userId: 'alice', seq: 5 },
  stop_requested: { kind: 'stop_requested', chatId: 'chat', messageId: 'm', user: alice },
};

export const entries: OneOfEach<Entry> = {
  message: { kind: 'message', message },
  message_changed: { kind: 'message_changed', message },
  covered: { kind: 'covered', chatId: 'chat', fromSeq: 5, toSeq: 8 },
  reaction: {
    kind: 'reaction',
    reaction: {
      ...{ chatId: 'chat', messageId: 'message', messageSeq: 2, seq: 2 ** 52, user: bob, emoji: '👍🏽', added: true },
      ...{ createdAt: at, count: { emoji: '👍🏽', count: 3, seq: 2 ** 52 + 1, own: true } },
    },
  },
  message_part: { kind: 'message_part', part: { chatId: 'chat', messageId: 'm', seq: 9, offset: 3, text: 'x' } },
};

const chatPublicationKinds: OneOfEach<ChatPublication> = {
  entries: { kind: 'entries', entries: filledMessages.map(entryOf) as Filled<Entry>[], epoch: 'e', traces: [trace] },
  head: { kind: 'head', seq: 2 ** 52 },
  deleted: { kind: 'deleted' },
  ephemeral: { kind: 'ephemeral', event: ephemeralEvents.typing, onlyTo: 'alice' },
};

/** Publications of each kind, which together contain every system event and every ephemeral event. No two are equal. */
export const chatPublications: readonly Filled<ChatPublication>[] = Object.values(chatPublicationKinds).flatMap(
  (publication): Filled<ChatPublication>[] => {
    if (publication.kind === 'ephemeral')
      return Object.values(ephemeralEvents).map((event) => ({ ...publication, event }));
    // Messages alone take another form on the wire.
    if (publication.kind === 'entries') return [publication, { ...publication, entries: Object.values(entries) }];
    return [publication];
  },
);

export const acceptedMessage: Filled<AcceptedMessage> = {
  id: 'message',
  chatId: 'chat',
  sender: alice,
  clientMessageId: 'x',
  text: 'text',
  data: { list: [1, { deep: true }] },
  contentHash: Buffer.from('digest'),
  acceptedAt: at,
  type: 'order.shipped',
  silent: true,
  replyToId: 'other',
  rootId: 'root',
  mentions: [{ userId: 'bob', everyone: true, offset: 1, length: 2 }],
  trace,
};

export const chat: Filled<Chat> = {
  id: 'chat',
  type: 'DIRECT',
  name: 'name',
  description: 'about',
  data: { list: [1, { deep: true }] },
  lastSeq: 2 ** 52,
  createdAt: at,
  createdBy: 'alice',
  memberCount: 2,
  own: { role: 'OWNER', joinedSeq: 5, readSeq: 6, readGeneration: 2, unreadCount: 1, mentionCount: 3, mutedUntil: at },
  peer: bob,
  lastMessage: message,
};

export const member: Filled<Member> = {
  user: bob,
  role: 'ADMIN',
  joinedAt: at,
  readSeq: 9,
  readGeneration: 1,
  deliveredSeq: 10,
};

export const ban: Filled<Ban> = { user: bob, bannedBy: alice, reason: 'why', createdAt: at, expiresAt: new Date(2e12) };

export const auditEvent: Filled<AuditEvent> = {
  id: 3,
  at,
  actorId: 'alice',
  action: 'chat.create',
  chatId: 'chat',
  detail: { name: 'name' },
};

export const events: OneOfEach<Event> = {
  welcome: {
    kind: 'welcome',
    sessionId: 's',
    user: alice,
    limits: { maxTextLength: 1, maxFrameBytes: 2, maxCommandsPerFrame: 3, maxSubscriptions: 4 },
    tokenExpiresAt: at,
  },
  subscribed: { kind: 'subscribed', commandId: '1', chatId: 'chat', headSeq: 9, afterSeq: 4, epoch: 'e' },
  reset: { kind: 'reset', chatId: 'chat', epoch: 'e', fromSeq: 4 },
  caught_up: { kind: 'caught_up', chatId: 'chat', seq: 9 },
  ...entries,
  chat_added: { kind: 'chat_added', chat },
  chat_removed: { kind: 'chat_removed', chatId: 'chat', reason: 'LEFT' },
  accepted: { kind: 'accepted', commandId: '1', receipt: { messageId: 'm', seq: 3, createdAt: at } },
  rejected: { kind: 'rejected', commandId: '1', error: new ChatError('ROLE_TOO_LOW', 'no') },
  pong: { kind: 'pong', commandId: '1' },
  closing: { kind: 'closing', reason: 'DRAINING', retryAfterMs: 5 },
  ...ephemeralEvents,
  message_part: { kind: 'message_part', part: { chatId: 'chat', messageId: 'm', seq: 9, offset: 3, text: 'x' } },
};
