import type { NewMessage } from '../../repository/message-repository.ts';

/** Returns a key that a message shares only with its repetitions, and with messages that reuse its client message id. */
export function repetitionKey({ chatId, clientMessageId, sender }: NewMessage): string {
  // Unambiguous: only the last part may contain spaces.
  return `${chatId} ${clientMessageId} ${sender.id}`;
}
