import type { Message, MessagePart } from '../../api/chat/v1/chat.ts';

/**
 * Returns the message with a part that the event `messagePart` brought. A message that has the part already, or that is not the part's, is returned as it
 * is.
 *
 * @example
 * client.on('messagePart', (part) => (messages = messages.map((message) => withPart(message, part))));
 */
export function withPart<T extends Message>(message: T, { messageId, seq, text }: MessagePart): T {
  if (message.id !== messageId || seq <= message.updateSeq) return message;
  return { ...message, text: message.text + text, updateSeq: seq };
}
