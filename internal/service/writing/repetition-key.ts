import type { NewMessage } from '../../repository/message-repository.ts';

/** The same for a message and its repetitions, and for no others but those that use its id for something else. */
export function repetitionKey({ chatId, clientMessageId, sender }: NewMessage): string {
  // Only what comes last may hold spaces.
  return `${chatId} ${clientMessageId} ${sender.id}`;
}
