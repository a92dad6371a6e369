import { expect, onTestFinished, test, vi } from 'vitest';
import type { Command } from '../../api/chat/v1/chat.ts';
import { ChatClientError } from '../errors/chat-error.ts';
import type { AllEvents } from '../events/chat-client-events.ts';
import { Emitter } from '../events/emitter.ts';
import type { PendingMessage } from '../messages/pending-message.ts';
import type { Stream } from '../transports/transport.ts';
import { sendMessage } from './durable-command.ts';
import type { Outbox } from './outbox.ts';
import { Sender } from './sender.ts';

test.each(['INTERNAL', 'UNKNOWN', 'UNAVAILABLE'])(
  'a message that was refused with %s stays in the outbox and is sent again',
  async (code) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const stored: PendingMessage[] = [];
    const outbox: Outbox = {
      load: () => [],
      put: (message) => void stored.push(message),
      remove: (message) => void stored.splice(stored.indexOf(message), 1),
    };
    const sent: Command[] = [];
    const stream = { send: (command: Command) => void sent.push(command) } as Stream;
    const closed = new AbortController();
    onTestFinished(() => closed.abort());
    const sender = new Sender({ emitter: new Emitter<AllEvents>(), closed: closed.signal, outbox }, { maxPending: 10 });
    sender.begin(stream, undefined);
    const receipt = sender.perform(sendMessage({ chatId: 'chat', text: 'text', clientMessageId: 'id' }));

    sender.refused(stream, sent[0]!.commandId, new ChatClientError('x', { code }));
    expect(stored).toMatchObject([{ text: 'text' }]);
    await vi.runOnlyPendingTimersAsync();

    expect(sent).toHaveLength(2);
    expect(sent[1]).toEqual(sent[0]);
    sender.accepted({ commandId: sent[0]!.commandId, messageId: 'm', seq: 1, createdAt: new Date() });
    expect(await receipt).toMatchObject({ messageId: 'm' });
    expect(stored).toEqual([]);
  },
);
