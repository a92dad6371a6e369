import { describe, expect, test } from 'vitest';
import * as wire from '../../pkg/api/chat/v1/chat.ts';
import { ChatError } from '../model/errors.ts';
import type { CloseReason, Event, RemovalReason } from '../model/event.ts';
import type { Frame } from '../model/frame.ts';
import type { Message, SystemEvent } from '../model/message.ts';
import { toWireMessage } from './chat.ts';
import { ProtobufEventEncoder, toWireEvent } from './event.ts';

const encoder = new ProtobufEventEncoder();
const at = new Date(1_700_000_000_123);
const alice = { id: 'alice', name: 'Alice' };
const base = {
  id: 'm',
  chatId: 'c',
  seq: 3,
  updateSeq: 7,
  sender: alice,
  clientMessageId: 'x',
  text: 'text',
  createdAt: at,
};
const chat = {
  id: 'c',
  type: 'DIRECT' as const,
  name: '',
  lastSeq: 2 ** 52,
  createdAt: at,
  createdBy: 'alice',
  memberCount: 2,
};

function decode(...frames: readonly Frame[]): NonNullable<wire.Event['event']>[] {
  return wire.ConnectChatResponse.decode(Buffer.concat(frames.map(({ bytes }) => bytes))).events.map(
    ({ event }) => event!,
  );
}

/** One of each kind; the record's type makes sure that none is missing. */
const events: { [K in Event['kind']]: Extract<Event, { kind: K }> } = {
  welcome: {
    kind: 'welcome',
    sessionId: 's',
    user: alice,
    limits: { maxTextLength: 1, maxFrameBytes: 2, maxCommandsPerFrame: 3, maxSubscriptions: 4 },
    tokenExpiresAt: at,
  },
  subscribed: { kind: 'subscribed', commandId: '1', chatId: 'c', headSeq: 9, afterSeq: 4 },
  caught_up: { kind: 'caught_up', chatId: 'c', seq: 9 },
  message: { kind: 'message', message: base },
  chat_added: {
    kind: 'chat_added',
    chat: {
      ...chat,
      own: { role: 'OWNER', joinedSeq: 5, readSeq: 6, unreadCount: 1 },
      peer: { id: 'bob', name: '' },
      lastMessage: base,
    },
  },
  chat_removed: { kind: 'chat_removed', chatId: 'c', reason: 'LEFT' },
  accepted: { kind: 'accepted', commandId: '1', receipt: { messageId: 'm', seq: 3, createdAt: at } },
  rejected: { kind: 'rejected', commandId: '1', error: new ChatError('ROLE_TOO_LOW', 'no') },
  pong: { kind: 'pong', commandId: '1' },
  typing: { kind: 'typing', chatId: 'c', user: { id: 'a', name: 'A' } },
  presence: { kind: 'presence', chatId: 'c', user: { id: 'a', name: 'A' }, online: true },
  read: { kind: 'read', chatId: 'c', userId: 'a', seq: 4 },
  closing: { kind: 'closing', reason: 'DRAINING', retryAfterMs: 5 },
};

describe('an event', () => {
  test.each(Object.values(events))('$kind is read back as it was written', (event) => {
    const [read] = decode(encoder.encode(event));
    expect(wire.Event.toJSON({ event: read })).toEqual(wire.Event.toJSON(toWireEvent(event)));
  });

  test('is encoded once for all readers that it is passed to', () => {
    expect(encoder.encode(events.typing)).toBe(encoder.encode(events.typing));
  });

  test('joined to others makes a frame of them all', () => {
    const all = Object.values(events);
    expect(decode(...all.map((event) => encoder.encode(event))).map(({ $case }) => $case)).toEqual(
      all.map((event) => toWireEvent(event).event!.$case),
    );
  });

  test('tells why a chat or a stream ended', () => {
    const removal = (reason: RemovalReason) =>
      decode(encoder.encode({ kind: 'chat_removed', chatId: 'c', reason }))[0]?.value;
    expect(removal('UNKNOWN')).toEqual({ chatId: 'c', reason: wire.RemovalReason.UNSPECIFIED });
    expect(removal('LEFT')).toEqual({ chatId: 'c', reason: wire.RemovalReason.LEFT });
    expect(removal('REMOVED')).toEqual({ chatId: 'c', reason: wire.RemovalReason.REMOVED });
    expect(removal('DELETED')).toEqual({ chatId: 'c', reason: wire.RemovalReason.DELETED });
    expect(removal('BANNED')).toEqual({ chatId: 'c', reason: wire.RemovalReason.BANNED });
    const closing = (reason: CloseReason) =>
      decode(encoder.encode({ kind: 'closing', reason, retryAfterMs: 1 }))[0]?.value;
    for (const reason of ['DRAINING', 'TOKEN_EXPIRED', 'PROTOCOL_ERROR', 'SESSION_REVOKED', 'BANNED'] as const) {
      expect(closing(reason)).toEqual({ reason: wire.CloseReason[reason], retryAfterMs: 1 });
    }
  });
});

describe('messages', () => {
  test('are one event each, in order, encoded once for all readers of the array', () => {
    const messages = [1, 2, 3].map((seq) => ({ ...base, seq, text: `${seq} 😀` }));
    const pieces = encoder.encodeMessages(messages);
    expect(decode(...pieces).map(({ value }) => value)).toEqual(messages.map(toWireMessage));
    expect(encoder.encodeMessages(messages)).toBe(pieces);
    expect(encoder.encodeMessages([...messages])).not.toBe(pieces);
    expect(encoder.encodeMessages([messages[0]!])).not.toBe(pieces);
    expect(decode(...encoder.encodeMessages(messages))).toHaveLength(3);
  });

  test('are cut into pieces that fit a frame of any gRPC client, however long they are', () => {
    const messages = Array.from({ length: 200 }, (_, i) => ({
      ...base,
      seq: i,
      text: '日'.repeat(i % 7 ? 4_000 : 65_536),
    }));
    const pieces = encoder.encodeMessages(messages);
    expect(Math.max(...pieces.map(({ bytes }) => bytes.length))).toBeLessThan(1024 * 1024);
    expect(decode(...pieces).map(({ value }) => value)).toEqual(messages.map(toWireMessage));
  });

  test('are valid UTF-8 even when a text is not valid UTF-16', () => {
    const broken: Message = { ...base, text: 'a\ud800b', sender: { id: 'alice', name: '\udc00' } };
    const strict = new TextDecoder('utf-8', { fatal: true });
    const [piece] = encoder.encodeMessages([broken]);
    const text = Buffer.from(piece!.bytes);
    const start = text.indexOf('a\u{fffd}b');
    expect(start).toBeGreaterThan(0);
    expect(strict.decode(text.subarray(start, start + 5))).toBe('a\u{fffd}b');
  });

  const system: { [K in SystemEvent['kind']]: [Extract<SystemEvent, { kind: K }>, unknown] } = {
    chat_created: [{ kind: 'chat_created' }, { $case: 'chatCreated', value: {} }],
    members_added: [
      { kind: 'members_added', users: [alice, { id: 'b', name: '' }] },
      { $case: 'membersAdded', value: { users: [alice, { id: 'b', name: '' }] } },
    ],
    member_removed: [
      { kind: 'member_removed', user: alice, banned: true },
      { $case: 'memberRemoved', value: { user: alice, banned: true } },
    ],
    member_joined: [{ kind: 'member_joined' }, { $case: 'memberJoined', value: {} }],
    member_left: [{ kind: 'member_left' }, { $case: 'memberLeft', value: {} }],
    owner_changed: [
      { kind: 'owner_changed', user: alice },
      { $case: 'ownerChanged', value: { user: alice } },
    ],
    role_changed: [
      { kind: 'role_changed', user: alice, role: 'READER' },
      { $case: 'roleChanged', value: { user: alice, role: wire.ChatRole.READER } },
    ],
  };

  test.each(Object.values(system))('of the service are read back: %o', (event, expected) => {
    const [decoded] = decode(...encoder.encodeMessages([{ ...base, system: event }]));
    expect((decoded!.value as wire.Message).system).toEqual({ event: expected });
  });
});
