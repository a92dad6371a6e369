import { expect, test } from 'vitest';
import { Message, type ThreadSummary } from '../../api/chat/v1/chat.ts';
import { withReply } from './with-reply.ts';

const at = new Date(0);
const reply = (seq: number, senderId: string, rest: Partial<Message> = {}) =>
  Message.fromPartial({ seq, updateSeq: seq, sender: { id: senderId }, createdAt: at, rootId: 'root', ...rest });
const after = (summary: ThreadSummary | undefined, ...replies: Message[]) =>
  replies.reduce<ThreadSummary | undefined>((known, message) => {
    const next = withReply(known, message);
    return next === 'outdated' ? expect.unreachable() : next;
  }, summary);

test('messages of a thread are counted once, with the first users that wrote', () => {
  const summary = after(undefined, ...['a', 'b', 'a', 'c', 'd', 'e', 'f'].map((sender, i) => reply(i + 2, sender)));
  expect(summary).toEqual({
    replyCount: 7,
    lastSeq: 8,
    lastAt: at,
    participantIds: ['a', 'b', 'c', 'd', 'e'],
    updateSeq: 8,
  });
  expect(after(summary, reply(5, 'x'), reply(8, 'f'))).toEqual(summary);
});

test('a message that was deleted before it came does not count', () => {
  const summary = after(undefined, reply(2, 'a'));
  expect(after(summary, reply(3, 'b', { updateSeq: 4, deletedAt: at }))).toEqual(summary);
});

test('a deletion is subtracted once, and where it changes more than the count the summary is outdated', () => {
  const seven = ['a', 'b', 'c', 'd', 'e', 'f', 'f'].map((sender, i) => reply(i + 2, sender));
  const summary = after(undefined, ...seven);
  const deleted = reply(7, 'f', { updateSeq: 9, deletedAt: at });
  const less = withReply(summary, deleted, reply(7, 'f'));
  expect(less).toEqual({ ...summary, replyCount: 6, updateSeq: 9 });
  if (less === 'outdated') return expect.unreachable();
  expect(withReply(less, deleted, reply(7, 'f'))).toEqual(less);
  expect(withReply(less, { ...deleted, updateSeq: 10, hidden: true }, deleted)).toEqual(less);
  expect(withReply(summary, deleted)).toBe('outdated');
  expect(withReply(summary, reply(2, 'a', { updateSeq: 9, deletedAt: at }), reply(2, 'a'))).toBe('outdated');
  expect(withReply(summary, reply(8, 'f', { updateSeq: 9, deletedAt: at }), reply(8, 'f'))).toBe('outdated');
});

test('an edit changes nothing', () => {
  const summary = after(undefined, reply(2, 'a'));
  expect(withReply(summary, reply(2, 'a', { updateSeq: 3, text: 'x' }), reply(2, 'a'))).toEqual(summary);
});
