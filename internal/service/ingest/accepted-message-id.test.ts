import { validate, version } from 'uuid';
import { expect, test } from 'vitest';
import { newMessage } from '../../testing/services/test-storage.ts';
import { acceptedMessageId } from './accepted-message-id.ts';

const message = newMessage('0198f1c6-0000-7000-8000-000000000001', 'alice', { clientMessageId: 'one' });

test('the id of an accepted message is a UUIDv8 that stays the same for ever', () => {
  const id = acceptedMessageId(message);
  expect(validate(id) && version(id)).toBe(8);
  expect(id).toBe('ae3eaca9-d938-81c0-a6c1-441559abb56e');
  expect(acceptedMessageId({ ...message, text: 'other', contentHash: Buffer.from('other') })).toBe(id);
});

test('messages that differ in chat, sender or client_message_id have different ids', () => {
  const { chatId, sender, clientMessageId } = message;
  const messages = [
    message,
    { ...message, chatId: sender.id },
    { ...message, sender: { ...sender, id: clientMessageId } },
    { ...message, clientMessageId: chatId },
    { ...message, sender: { ...sender, id: 'alic' }, clientMessageId: 'eone' },
  ];
  expect(new Set(messages.map(acceptedMessageId)).size).toBe(messages.length);
});
