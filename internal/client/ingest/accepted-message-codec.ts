import * as wire from '../../../pkg/api/ingest/v1/ingest.ts';
import type { AcceptedMessage } from '../../model/message.ts';

export function encodeAccepted({ sender, asService: _, ...message }: AcceptedMessage): Uint8Array {
  return wire.AcceptedMessage.encode({ ...message, senderId: sender.id, senderName: sender.name }).finish();
}

/** Undefined if the bytes are not such a message. */
export function decodeAccepted(bytes: Uint8Array): AcceptedMessage | undefined {
  try {
    const { senderId, senderName, contentHash, acceptedAt, ...message } = wire.AcceptedMessage.decode(bytes);
    if (!message.id || !message.chatId || !senderId || !message.clientMessageId || !acceptedAt) return undefined;
    return {
      ...message,
      sender: { id: senderId, name: senderName },
      contentHash: Buffer.from(contentHash),
      acceptedAt,
    };
  } catch {
    return undefined;
  }
}
