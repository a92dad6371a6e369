import * as wire from '../../../pkg/api/ingest/v1/ingest.ts';
import type { Complete } from '../../model/complete.ts';
import type { AcceptedMessage } from '../../model/message.ts';
import type { TraceContext } from '../../model/trace-context.ts';

/** Encodes a message without its trace, which travels beside it. */
export function encodeAccepted(message: AcceptedMessage): Uint8Array {
  const encoded: Complete<wire.AcceptedMessage> = {
    id: message.id,
    chatId: message.chatId,
    senderId: message.sender.id,
    senderName: message.sender.name,
    clientMessageId: message.clientMessageId,
    text: message.text,
    contentHash: message.contentHash,
    acceptedAt: message.acceptedAt,
    data: message.data,
    type: message.type ?? '',
    silent: message.silent ?? false,
    replyToId: message.replyToId ?? '',
    rootId: message.rootId ?? '',
    mentions: message.mentions ? [...message.mentions] : [],
  };
  return wire.AcceptedMessage.encode(encoded).finish();
}

/** Undefined if the bytes are not such a message. */
export function decodeAccepted(bytes: Uint8Array, trace?: TraceContext): Complete<AcceptedMessage> | undefined {
  try {
    const decoded = wire.AcceptedMessage.decode(bytes);
    const { id, chatId, senderId, senderName, clientMessageId, text, contentHash, acceptedAt, data } = decoded;
    const { type, silent, replyToId, rootId, mentions } = decoded;
    if (!id || !chatId || !senderId || !clientMessageId || !acceptedAt) return undefined;
    return {
      id,
      chatId,
      sender: { id: senderId, name: senderName },
      clientMessageId,
      text,
      data,
      contentHash: Buffer.from(contentHash),
      acceptedAt,
      type: type || undefined,
      silent: silent || undefined,
      replyToId: replyToId || undefined,
      rootId: rootId || undefined,
      mentions: mentions.length > 0 ? mentions : undefined,
      trace,
    };
  } catch {
    return undefined;
  }
}
