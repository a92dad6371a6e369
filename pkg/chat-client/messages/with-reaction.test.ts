import { describe, expect, test } from 'vitest';
import { Message, ReactionChanged } from '../../api/chat/v1/chat.ts';
import { withReaction } from './with-reaction.ts';

const message = Message.fromPartial({ id: 'm', seq: 1 });
const change = (seq: number, userId: string, added: boolean, count: number, emoji = '👍') =>
  ReactionChanged.fromPartial({
    messageId: 'm',
    seq,
    user: { id: userId },
    emoji,
    added,
    count: { emoji, count, seq },
  });

describe('withReaction', () => {
  test('counts users by kind, and marks those of the client’s user', () => {
    const one = withReaction(message, change(2, 'alice', true, 1), 'alice');
    expect(one.reactions).toEqual([{ emoji: '👍', count: 1, own: true, seq: 2 }]);
    const two = withReaction(
      withReaction(one, change(3, 'bob', true, 2), 'alice'),
      change(4, 'bob', true, 1, '🎉'),
      'alice',
    );
    expect(two.reactions).toEqual([
      { emoji: '👍', count: 2, own: true, seq: 3 },
      { emoji: '🎉', count: 1, own: false, seq: 4 },
    ]);
    const three = withReaction(two, change(5, 'alice', false, 1), 'alice');
    expect(three.reactions[0]).toEqual({ emoji: '👍', count: 1, own: false, seq: 5 });
    expect(withReaction(three, change(6, 'bob', false, 0), 'alice').reactions).toHaveLength(1);
  });

  test('keeps a count that was read later than the change, and the message object if nothing changes', () => {
    const read = { ...message, reactions: [{ emoji: '👍', count: 7, own: false, seq: 9 }] };
    expect(withReaction(read, change(5, 'bob', true, 3), 'alice')).toBe(read);
    expect(withReaction(read, change(5, 'alice', true, 3), 'alice').reactions).toEqual([
      { emoji: '👍', count: 7, own: true, seq: 9 },
    ]);
    expect(withReaction(read, { ...change(10, 'bob', true, 8), messageId: 'other' }, 'alice')).toBe(read);
  });
});
