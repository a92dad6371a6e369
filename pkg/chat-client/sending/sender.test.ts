import { expect, onTestFinished, test, vi } from 'vitest';
import type { Command } from '../../api/chat/v1/chat.ts';
import { ChatClientError } from '../errors/chat-error.ts';
import type { AllEvents } from '../events/chat-client-events.ts';
import { Emitter } from '../events/emitter.ts';
import type { PendingChange } from '../messages/pending-change.ts';
import type { PendingMessage } from '../messages/pending-message.ts';
import type { Stream } from '../transports/transport.ts';
import type { Outbox } from './outbox.ts';
import { Sender } from './sender.ts';

function newSender(outbox?: Outbox) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const sent: Command[] = [];
  const stream = { send: (command: Command) => void sent.push(command) } as Stream;
  const closed = new AbortController();
  onTestFinished(() => closed.abort());
  const sender = new Sender({ emitter: new Emitter<AllEvents>(), closed: closed.signal, outbox }, { maxPending: 10 });
  sender.begin(stream, undefined);
  return { sender, sent, stream };
}

const answerTo = (command: Command | undefined) => ({
  commandId: command?.commandId ?? '',
  messageId: 'm',
  seq: 1,
  createdAt: new Date(),
});

test.each(['INTERNAL', 'UNKNOWN', 'UNAVAILABLE'])(
  'a message that was refused with %s stays in the outbox and is sent again',
  async (code) => {
    const stored: (PendingMessage | PendingChange)[] = [];
    const outbox: Outbox = {
      load: () => [],
      put: (message) => void stored.push(message),
      remove: (message) => void stored.splice(stored.indexOf(message), 1),
    };
    const { sender, sent, stream } = newSender(outbox);
    const receipt = sender.perform({ chatId: 'chat', text: 'text', clientMessageId: 'id' });

    sender.refused(stream, sent[0]!.commandId, new ChatClientError('x', { code }));
    expect(stored).toMatchObject([{ text: 'text' }]);
    await vi.runOnlyPendingTimersAsync();

    expect(sent).toHaveLength(2);
    expect(sent[1]).toEqual(sent[0]);
    sender.accepted(answerTo(sent[0]));
    expect(await receipt).toMatchObject({ messageId: 'm' });
    expect(stored).toEqual([]);
  },
);

test('a change waits for the answer to an earlier change of the same message, also when that is sent again', async () => {
  const { sender, sent, stream } = newSender();
  const edit = (messageId: string, text: string) =>
    sender.perform({ kind: 'edit', chatId: 'chat', messageId, text, clientChangeId: text });
  const texts = () => sent.map(({ command }) => command && 'text' in command.value && command.value.text);
  const receipts = [edit('one', 'a'), edit('one', 'b'), edit('two', 'c'), edit('one', 'd')];
  expect(texts()).toEqual(['a', 'c']);

  sender.refused(stream, sent[0]!.commandId, new ChatClientError('x', { code: 'UNAVAILABLE' }));
  await vi.runOnlyPendingTimersAsync();
  expect(texts()).toEqual(['a', 'c', 'a']);
  sender.end();
  sender.begin(stream, undefined);
  expect(texts()).toEqual(['a', 'c', 'a', 'a', 'c']);

  sender.accepted(answerTo(sent[0]));
  expect(texts().slice(5)).toEqual(['b']);
  sender.refused(stream, sent[5]!.commandId, new ChatClientError('x', { code: 'FAILED_PRECONDITION' }));
  expect(texts().slice(5)).toEqual(['b', 'd']);
  sender.accepted(answerTo(sent[1]));
  sender.accepted(answerTo(sent[6]));
  expect((await Promise.allSettled(receipts)).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ]);
  expect(sender.size).toBe(0);
});
