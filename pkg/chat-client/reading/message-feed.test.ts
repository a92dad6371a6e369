import { describe, expect, test } from 'vitest';
import { Message } from '../../api/chat/v1/chat.ts';
import type { Call } from '../calls/repeating-calls.ts';
import type { AllEvents } from '../events/chat-client-events.ts';
import { Emitter } from '../events/emitter.ts';
import { MessageFeed, type MessageFeedOptions } from './message-feed.ts';

/** A feed from the beginning of a chat whose messages can be replaced, as if the database had gone back. */
function open(options: MessageFeedOptions = { afterSeq: 0 }) {
  const chat = {
    texts: ['a', 'b', 'c', 'd', 'e'],
    held: undefined as Promise<void> | undefined,
    epoch: 'one',
    valid: 3,
  };
  const call = async (method: string, { afterSeq = 0, epoch }: { afterSeq?: number; epoch?: string }) => {
    const isReset = epoch !== chat.epoch && afterSeq > chat.valid;
    if (method === 'listChanges') return { epoch: chat.epoch, ...(isReset && { resetFromSeq: chat.valid }) };
    const messages = chat.texts.map((text, i) => Message.create({ chatId: 'c', seq: i + 1, updateSeq: i + 1, text }));
    await chat.held;
    return {
      messages: messages.slice(afterSeq, afterSeq + 3),
      hasMore: messages.length > afterSeq + 3,
      epoch: chat.epoch,
    };
  };
  const emitter = new Emitter<AllEvents>();
  const deps = { chatId: 'c', call: call as unknown as Call, emitter, cursor: () => 0 };
  const feed = new MessageFeed(deps, options, new AbortController().signal);
  const take = async (count: number) => {
    const texts: (string | undefined)[] = [];
    while (texts.length < count) texts.push((await feed.next()).value?.text);
    return texts;
  };
  return { chat, emitter, feed, take };
}

describe('a feed that goes on after a stored number', () => {
  test('tells the epoch to store with it', async () => {
    const { chat, feed, take } = open();
    expect(feed.epoch).toBeUndefined();
    await take(3);
    expect(feed.epoch).toBe('one');
    Object.assign(chat, { texts: ['a', 'b', 'c', 'x'], epoch: 'two' });
    await take(1);
    expect(feed.epoch).toBe('two');
  });

  test('goes on if the number means the same in the present epoch', async () => {
    const { feed, take } = open({ afterSeq: 3, epoch: 'zero' });
    expect(await take(2)).toEqual(['d', 'e']);
    expect(feed.epoch).toBe('one');
  });

  test('ends if it may mean something else', async () => {
    const { feed } = open({ afterSeq: 4, epoch: 'zero' });
    await expect(feed.next()).rejects.toMatchObject({ reason: 'CURSOR_IN_FUTURE' });
  });

  test('takes the number for one of the present epoch without an epoch', async () => {
    expect(await open({ afterSeq: 4 }).take(1)).toEqual(['e']);
  });
});

describe('a feed that is ahead of the stream when the database has gone back', () => {
  test('ends if it has returned what may be lost', async () => {
    const { emitter, feed, take } = open();
    expect(await take(4)).toEqual(['a', 'b', 'c', 'd']);
    emitter.emit('epoch', { chatId: 'c', epoch: 'two', fromSeq: 3 });
    await expect(feed.next()).rejects.toMatchObject({ reason: 'CURSOR_IN_FUTURE' });
    expect(await feed.next()).toEqual({ done: true, value: undefined });
  });

  test('goes on with what the chat has now if it has not', async () => {
    const { chat, emitter, take } = open();
    expect(await take(2)).toEqual(['a', 'b']);
    chat.texts = ['a', 'b', 'c', 'x', 'y'];
    emitter.emit('epoch', { chatId: 'c', epoch: 'two', fromSeq: 3 });
    expect(await take(3)).toEqual(['c', 'x', 'y']);
  });

  test('reads a page again that was under way', async () => {
    const { chat, emitter, take } = open();
    const answer = Promise.withResolvers<void>();
    chat.held = answer.promise;
    const taken = take(3);
    await Promise.resolve();
    chat.texts = ['a', 'x', 'y'];
    emitter.emit('epoch', { chatId: 'c', epoch: 'two', fromSeq: 1 });
    chat.held = undefined;
    answer.resolve();
    expect(await taken).toEqual(['a', 'x', 'y']);
  });

  test('ends if a page shows that what it has returned may be lost', async () => {
    const { chat, feed, take } = open();
    expect(await take(3)).toEqual(['a', 'b', 'c']);
    Object.assign(chat, { texts: ['a', 'b', 'x', 'y'], epoch: 'two', valid: 2 });
    await expect(feed.next()).rejects.toMatchObject({ reason: 'CURSOR_IN_FUTURE' });
  });

  test('goes on if a page shows that nothing of it is lost', async () => {
    const { chat, take } = open();
    expect(await take(3)).toEqual(['a', 'b', 'c']);
    Object.assign(chat, { texts: ['a', 'b', 'c', 'x', 'y'], epoch: 'two' });
    expect(await take(2)).toEqual(['x', 'y']);
  });

  test('looks at its position when the stream begins to bring the chat in another epoch', async () => {
    const { chat, emitter, feed, take } = open();
    expect(await take(5)).toEqual(['a', 'b', 'c', 'd', 'e']);
    const next = feed.next();
    Object.assign(chat, { texts: ['a', 'b', 'c', 'x', 'y', 'z'], epoch: 'two' });
    emitter.emit('gap', { chatId: 'c', afterSeq: 0, epoch: 'two' });
    await expect(next).rejects.toMatchObject({ reason: 'CURSOR_IN_FUTURE' });
  });
});
