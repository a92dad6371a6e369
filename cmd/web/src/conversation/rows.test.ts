import { expect, test } from 'vitest';
import { Message } from '../../../../pkg/api/chat/v1/chat.ts';
import type { ConversationState } from '../chats/conversation-state.ts';
import { seqUpTo, toRows } from './rows.ts';

const at = (minutes: number) => new Date(2026, 4, 5, 12, minutes);

const said = (seq: number, senderId: string, minutes: number, change: Partial<Message> = {}) =>
  Message.fromPartial({
    id: `${seq}`,
    seq,
    sender: { id: senderId },
    clientMessageId: `c${seq}`,
    createdAt: at(minutes),
    text: 'x',
    ...change,
  });

const state = (messages: Message[], change: Partial<ConversationState> = {}): ConversationState => ({
  window: { messages, hasOlder: false, hasNewer: false },
  outgoing: [],
  loaded: true,
  problem: undefined,
  shift: false,
  unreadAfter: undefined,
  ...change,
});

const kinds = (given: ConversationState) => toRows(given, 'me').map(({ kind }) => kind);

test('each day begins with a line of its own', () => {
  const rows = kinds(state([said(1, 'a', 0), said(2, 'a', 1), said(3, 'a', 24 * 60)]));
  expect(rows).toEqual(['beginning', 'day', 'message', 'message', 'day', 'message']);
});

test('what somebody writes within minutes belongs together', () => {
  const messages = [said(1, 'a', 0), said(2, 'a', 4), said(3, 'a', 20), said(4, 'b', 21), said(5, 'me', 22)];
  const rows = toRows(state(messages), 'me').flatMap((row) => ('first' in row ? [[row.first, row.last]] : []));
  expect(rows).toEqual([
    [true, false],
    [false, true],
    [true, true],
    [true, true],
    [true, true],
  ]);
});

test('the line above the new messages is before the first one of somebody else', () => {
  const joined = { event: { $case: 'memberJoined' as const, value: {} } };
  const messages = [
    said(1, 'a', 0),
    said(2, 'a', 0, { system: joined }),
    said(3, 'me', 1),
    said(4, 'a', 2),
    said(5, 'a', 3),
  ];
  const rows = kinds(state(messages, { unreadAfter: 1 }));
  expect(rows).toEqual(['beginning', 'day', 'message', 'system', 'message', 'unread', 'message', 'message']);
});

test('what is being sent comes last, and keeps its key when it is committed', () => {
  const outgoing = [{ clientMessageId: 'c2', text: 'x', at: at(1), state: 'sending' as const }];
  const before = toRows(state([said(1, 'a', 0)], { outgoing }), 'me').at(-1);
  const after = toRows(state([said(1, 'a', 0), said(2, 'me', 1)]), 'me').at(-1);
  expect(before).toMatchObject({ kind: 'outgoing', own: true, key: after!.key });
});

test('what is being sent is not shown below a hole in the history', () => {
  const outgoing = [{ clientMessageId: 'c2', text: 'x', at: at(1), state: 'sending' as const }];
  const window = { messages: [said(1, 'a', 0)], hasOlder: false, hasNewer: true };
  expect(kinds(state([], { window, outgoing }))).toEqual(['beginning', 'day', 'message']);
});

test('no two rows have the same key', () => {
  const messages = Array.from({ length: 50 }, (_, index) => said(index + 1, index % 3 ? 'a' : 'me', index * 60));
  const keys = toRows(state(messages, { unreadAfter: 20 }), 'me').map(({ key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
});

test('the number up to a row is that of the last message before it', () => {
  const rows = toRows(state([said(7, 'a', 0), said(8, 'a', 24 * 60)]), 'me');
  expect([0, 1, 2, 3, 4, 9].map((index) => seqUpTo(rows, index))).toEqual([0, 0, 7, 7, 8, 8]);
});
