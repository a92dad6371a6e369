import { hash } from 'node:crypto';
import { stringify } from 'uuid';
import type { NewMessage } from '../../repository/message-repository.ts';

/**
 * Returns the id of an accepted message: a UUIDv8 (RFC 9562) derived from what makes it unique (chat, sender, clientMessageId). Every acceptance of a
 * message therefore answers with the same id, also one that the log no longer recognises as a repetition. Log entries depend on it: never change it.
 */
export function acceptedMessageId({ chatId, sender, clientMessageId }: NewMessage): string {
  const bytes = hash('sha256', JSON.stringify([chatId, sender.id, clientMessageId]), 'buffer').subarray(0, 16);
  bytes[6] = 0x80 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  return stringify(bytes);
}
