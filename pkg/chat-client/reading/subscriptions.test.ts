import { describe, expect, test } from 'vitest';
import { Limits } from '../../api/chat/v1/chat.ts';
import type { AllEvents } from '../events/chat-client-events.ts';
import { Emitter } from '../events/emitter.ts';
import { Subscriptions } from './subscriptions.ts';

/** So small that no cursor fits into the command. */
const smallFrames = Limits.fromPartial({ maxFrameBytes: 300 });

/** Subscriptions that have seen numbers up to 7 of the chat `c` in the epoch `one`, and what they have emitted since. */
function newSubscriptions() {
  const emitter = new Emitter<AllEvents>();
  const emitted: string[] = [];
  const subscriptions = new Subscriptions(emitter);
  subscriptions.subscribed({ commandId: '', chatId: 'c', headSeq: 7, afterSeq: 7, epoch: 'one' });
  emitter.on('reset', ({ chatId }) => emitted.push(`reset ${chatId}`));
  emitter.on('chatRemoved', ({ chatId }) => emitted.push(`removed ${chatId}`));
  emitter.on('gap', ({ chatId, afterSeq }) => emitted.push(`gap ${chatId} ${afterSeq}`));
  /** The cursor that the next connection begins with. */
  const cursor = (limits?: Limits) => {
    const { command } = subscriptions.command(limits);
    if (command?.$case !== 'subscribeAll') throw new Error('the command subscribes to all chats');
    return { seq: command.value.cursors.c, epoch: command.value.epochs.c };
  };
  return { emitter, subscriptions, emitted, cursor };
}

const subscribed = { commandId: '', chatId: 'c', headSeq: 9, afterSeq: 4 };

test('a cursor of an earlier epoch keeps that epoch until the service has said what of it is the same', () => {
  const { subscriptions, emitted, cursor } = newSubscriptions();
  expect(cursor()).toEqual({ seq: 7, epoch: 'one' });
  subscriptions.subscribed({ ...subscribed, epoch: 'two' });
  // The connection ends here.
  expect(cursor()).toEqual({ seq: 7, epoch: 'one' });
  expect(emitted).toEqual([]);
  subscriptions.subscribed({ ...subscribed, epoch: 'two' });
  subscriptions.reset({ chatId: 'c', epoch: 'two', fromSeq: 4 });
  expect(cursor()).toEqual({ seq: 4, epoch: 'two' });
  expect(emitted).toEqual(['reset c']);
});

describe('a cursor that did not fit into the command', () => {
  test.each([
    ['is kept in the same epoch', { epoch: 'one' }, [], { seq: 7, epoch: 'one' }],
    ['is given up in another epoch', { epoch: 'two' }, ['reset c', 'gap c 4'], { seq: 4, epoch: 'two' }],
    [
      'is given up if the chat has fewer numbers',
      { epoch: 'one', headSeq: 6 },
      ['reset c', 'gap c 4'],
      { seq: 4, epoch: 'one' },
    ],
  ])('%s', (_, answer, events, next) => {
    const { subscriptions, emitted, cursor } = newSubscriptions();
    expect(cursor(smallFrames).seq).toBeUndefined();
    subscriptions.subscribed({ ...subscribed, ...answer });
    expect(emitted).toEqual(events);
    expect(cursor()).toEqual(next);
  });
});

describe('a chat that a call says the user is in', () => {
  test.each([
    ['has been left if the next connection is not subscribed to it', ['removed d'], { subscribes: false }],
    ['is still there if the next connection is subscribed to it', ['gap d 0'], { subscribes: true }],
  ])('%s', (_, events, { subscribes }) => {
    const { subscriptions, emitted, cursor } = newSubscriptions();
    subscriptions.joined('d');
    cursor();
    if (subscribes) subscriptions.subscribed({ commandId: '', chatId: 'd', headSeq: 1, afterSeq: 0, epoch: 'one' });
    subscriptions.accepted();
    cursor();
    subscriptions.accepted();
    expect(emitted).toEqual(events);
  });

  test('is not judged by a subscription from before the answer', () => {
    const { subscriptions, emitted, cursor } = newSubscriptions();
    cursor();
    subscriptions.joined('d');
    subscriptions.accepted();
    expect(emitted).toEqual([]);
  });
});

describe('when the database has gone back', () => {
  test.each([
    ['nothing is told of a chat of which the client has seen no later number', [], {}],
    ['a chat of which an answer was ahead of the stream is told', ['reset c'], { saw: 8 }],
    ['a chat with a receipt that was ahead of the stream is told', ['reset c'], { sent: 8 }],
    ['what was seen before the last reset counts no more', ['reset c'], { saw: 8, again: true }],
  ])('%s', (_, events, { saw, sent, again }: { saw?: number; sent?: number; again?: boolean }) => {
    const { emitter, subscriptions, emitted } = newSubscriptions();
    emitted.length = 0;
    if (saw) subscriptions.saw('c', saw);
    if (sent)
      emitter.emit('sent', {
        ...{ chatId: 'c', text: 't', clientMessageId: 'i' },
        ...{ messageId: 'm', seq: sent, createdAt: new Date() },
      });
    subscriptions.reset({ chatId: 'c', epoch: 'two', fromSeq: 7 });
    if (again) subscriptions.reset({ chatId: 'c', epoch: 'three', fromSeq: 7 });
    expect(emitted).toEqual(events);
  });
});
