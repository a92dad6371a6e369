import { hash } from 'node:crypto';
import type { NewMessage } from '../../repository/message-repository.ts';

/**
 * Returns the id of an accepted message: a UUIDv8 (RFC 9562) derived from what makes it unique (chat, sender, clientMessageId). Every acceptance of a
 * message therefore answers with the same id, also one that the log no longer recognises as a repetition. Log entries depend on it: never change it.
 */
export function acceptedMessageId({ chatId, sender, clientMessageId }: NewMessage): string {
  const hex = hash('sha256', JSON.stringify([chatId, sender.id, clientMessageId]), 'hex');
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
