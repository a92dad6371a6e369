import { describe, expect, test } from 'vitest';
import * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { Command } from '../model/command.ts';
import { fromWireChatType, toWireChat } from './chat.ts';
import { fromWireCommand, fromWireDraft, type StreamCommand } from './command.ts';
import { toWireMember } from './member.ts';

const id = 'ABCDEF00-0000-7000-8000-00000000000F';
const lower = id.toLowerCase();

type Kind = StreamCommand['$case'];

/** One command of each kind. A missing kind does not compile. */
const commands: {
  [K in Kind]: [Extract<StreamCommand, { $case: K }>['value'], Omit<Command, 'commandId'> & Record<string, unknown>];
} = {
  subscribe: [
    { chatId: id, afterSeq: 0, epoch: 'e' },
    { kind: 'subscribe', chatId: lower, cursor: { seq: 0, epoch: 'e' } },
  ],
  subscribeAll: [
    { cursors: { [id]: 5, [`${lower.slice(0, -1)}0`]: 6 }, others: wire.StartFrom.JOINED, epochs: { [id]: 'e' } },
    {
      kind: 'subscribe_all',
      cursors: new Map([
        [lower, { seq: 5, epoch: 'e' }],
        [`${lower.slice(0, -1)}0`, { seq: 6, epoch: '' }],
      ]),
      others: 'JOINED',
    },
  ],
  unsubscribe: [{ chatId: id }, { kind: 'unsubscribe', chatId: lower }],
  authenticate: [{ token: 'T' }, { kind: 'authenticate', token: 'T' }],
  ping: [{}, { kind: 'ping' }],
};

describe('a command', () => {
  test.each(Object.entries(commands))('%s keeps its fields, with ids in lower case', (kind, [value, expected]) => {
    const { command } = wire.Command.decode(
      wire.Command.encode({ commandId: 'C', command: { $case: kind, value } as StreamCommand }).finish(),
    );
    expect(fromWireCommand('C', command as StreamCommand)).toEqual({
      commandId: 'C',
      ...expected,
    });
  });

  test('to subscribe distinguishes "from now" and "from the beginning"', () => {
    const command = (afterSeq?: number) => fromWireCommand('', { $case: 'subscribe', value: { chatId: id, afterSeq } });
    expect(command()).toMatchObject({ cursor: undefined });
    expect(command(0)).toMatchObject({ cursor: { seq: 0, epoch: '' } });
  });

  test.each([
    [wire.StartFrom.UNSPECIFIED, 'NOW'],
    [wire.StartFrom.NOW, 'NOW'],
    [wire.StartFrom.JOINED, 'JOINED'],
    [wire.StartFrom.BEGINNING, 'BEGINNING'],
  ])('to subscribe to all starts chats without a cursor as it says: %i is %s', (others, expected) => {
    const command = { $case: 'subscribeAll' as const, value: { cursors: {}, others, epochs: {} } };
    expect(fromWireCommand('', command)).toMatchObject({ others: expected });
  });
});

test('a draft has its ids of chats and messages in lower case, and its text and data unchanged', () => {
  const mentions = [{ userId: 'Bob', everyone: false, offset: 1, length: 1 }];
  const content = { clientMessageId: 'X', text: ' T ', data: { a: ' D ' }, type: 'a.b', mentions };
  expect(fromWireDraft({ ...content, chatId: id, silent: true, replyToId: id, rootId: id })).toEqual({
    ...content,
    chatId: lower,
    silent: true,
    replyToId: lower,
    rootId: lower,
  });
});

test('a draft of the type text is an ordinary message, like one without a type', () => {
  const request = { chatId: id, clientMessageId: 'X', text: 'T', data: undefined, silent: false, mentions: [] };
  expect(fromWireDraft({ ...request, type: 'text' })).toEqual(fromWireDraft({ ...request, type: '' }));
});

describe('a chat', () => {
  const chat = {
    id: lower,
    type: 'ROOM' as const,
    name: 'n',
    description: 'd',
    data: { key: 'value' },
    lastSeq: 4,
    createdAt: new Date(5),
    createdBy: 'a',
    memberCount: 6,
  };

  test('shows a stranger no role, number or peer', () => {
    const shown = toWireChat(chat);
    expect(shown).toEqual({
      ...chat,
      type: wire.ChatType.ROOM,
      ownRole: wire.ChatRole.UNSPECIFIED,
      joinedSeq: 0,
      peer: undefined,
      lastMessage: undefined,
      readSeq: 0,
      unreadCount: 0,
      mentionCount: 0,
      readGeneration: 0,
      mutedUntil: undefined,
    });
  });

  test.each(['READER', 'MEMBER', 'ADMIN', 'OWNER'] as const)('shows a member their role: %s', (role) => {
    expect(
      toWireChat({
        ...chat,
        own: { role, joinedSeq: 3, readSeq: 5, readGeneration: 1, unreadCount: 2, mentionCount: 1 },
      }),
    ).toMatchObject({
      ownRole: wire.ChatRole[role],
      joinedSeq: 3,
      readSeq: 5,
      readGeneration: 1,
      unreadCount: 2,
      mentionCount: 1,
    });
    const marks = { readSeq: 4, readGeneration: 2, deliveredSeq: 5 };
    const member = { user: { id: 'a', name: 'A' }, role, joinedAt: new Date(7), ...marks };
    expect(toWireMember(member)).toEqual({ ...member, role: wire.ChatRole[role] });
  });

  test.each(['DIRECT', 'GROUP', 'ROOM'] as const)('keeps its type: %s', (type) => {
    expect(fromWireChatType(toWireChat({ ...chat, type }).type)).toBe(type);
    expect(fromWireChatType(wire.ChatType.UNSPECIFIED)).toBeUndefined();
  });
});
