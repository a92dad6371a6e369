import { describe, expect, test } from 'vitest';
import { Message } from '../../api/chat/v1/chat.ts';
import type { Call } from '../calls/repeating-calls.ts';
import type { AllEvents } from '../events/chat-client-events.ts';
import { Emitter } from '../events/emitter.ts';
import { MessageFeed } from './message-feed.ts';

/** A feed from the beginning of a chat whose messages can be replaced, as if the database had gone back. */
function open() {
  const chat = { texts: ['a', 'b', 'c', 'd', 'e'], held: undefined as Promise<void> | undefined };
  const call = async (_method: string, { afterSeq = 0 }: { afterSeq?: number }) => {
    const messages = chat.texts.map((text, i) => Message.create({ chatId: 'c', seq: i + 1, updateSeq: i + 1, text }));
    await chat.held;
    return { messages: messages.slice(afterSeq), hasMore: false };
  };
  const emitter = new Emitter<AllEvents>();
  const deps = { chatId: 'c', call: call as unknown as Call, emitter, cursor: () => 0 };
  const feed = new MessageFeed(deps, { afterSeq: 0 }, new AbortController().signal);
  const take = async (count: number) => {
    const texts: (string | undefined)[] = [];
    while (texts.length < count) texts.push((await feed.next()).value?.text);
    return texts;
  };
  return { chat, emitter, feed, take };
}

describe('a feed that is ahead of the stream when the database has gone back', () => {
  test('ends if it has returned what may be lost', async () => {
    const { emitter, feed, take } = open();
    expect(await take(4)).toEqual(['a', 'b', 'c', 'd']);
    emitter.emit('epoch', { chatId: 'c', fromSeq: 3 });
    await expect(feed.next()).rejects.toMatchObject({ reason: 'CURSOR_IN_FUTURE' });
    expect(await feed.next()).toEqual({ done: true, value: undefined });
  });

  test('goes on with what the chat has now if it has not', async () => {
    const { chat, emitter, take } = open();
    expect(await take(2)).toEqual(['a', 'b']);
    chat.texts = ['a', 'b', 'c', 'x', 'y'];
    emitter.emit('epoch', { chatId: 'c', fromSeq: 3 });
    expect(await take(3)).toEqual(['c', 'x', 'y']);
  });

  test('reads a page again that was under way', async () => {
    const { chat, emitter, take } = open();
    const answer = Promise.withResolvers<void>();
    chat.held = answer.promise;
    const taken = take(3);
    await Promise.resolve();
    chat.texts = ['a', 'x', 'y'];
    emitter.emit('epoch', { chatId: 'c', fromSeq: 1 });
    chat.held = undefined;
    answer.resolve();
    expect(await taken).toEqual(['a', 'x', 'y']);
  });
});
