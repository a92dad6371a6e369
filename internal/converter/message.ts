import * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { Complete } from '../model/complete.ts';
import type { Message, MessageStreaming } from '../model/message.ts';
import { fromWireReactionCount, toWireReactionCount } from './reaction.ts';
import { fromWireSystemEvent, toWireSystemEvent } from './system-event.ts';
import { fromWireThread, toWireThread } from './thread.ts';
import { fromWireUser, toWireUser } from './user.ts';

export function toWireMessage(message: Message): Complete<wire.Message> {
  return {
    id: message.id,
    chatId: message.chatId,
    seq: message.seq,
    updateSeq: message.updateSeq,
    sender: toWireUser(message.sender),
    clientMessageId: message.clientMessageId,
    text: message.text,
    createdAt: message.createdAt,
    system: message.system && { event: toWireSystemEvent(message.system) },
    editedAt: message.editedAt,
    deletedAt: message.deletion?.at,
    deletedBy: message.deletion?.by ?? '',
    hidden: message.deletion?.hidden ?? false,
    data: message.data,
    reactions: message.reactions?.map(toWireReactionCount) ?? [],
    type: message.type ?? '',
    silent: message.silent ?? false,
    replyTo: message.replyTo,
    rootId: message.rootId ?? '',
    streaming: message.streaming ? wire.MessageStreaming[message.streaming] : wire.MessageStreaming.UNSPECIFIED,
    thread: message.thread && toWireThread(message.thread),
    mentions: message.mentions ? [...message.mentions] : [],
  };
}

/** Converts a message from another node. Throws TypeError for one that `toWireMessage` cannot have written, for example without an id. */
export function fromWireMessage(message: wire.Message): Complete<Message> {
  const { id, chatId, seq, updateSeq, sender, clientMessageId, text, createdAt, system, editedAt } = message;
  const { deletedAt, deletedBy, hidden, data, reactions, type, silent, replyTo, rootId, streaming, thread, mentions } =
    message;
  if (!id || !chatId || !createdAt || seq < 1 || updateSeq < seq)
    throw new TypeError('a message lacks required fields');
  return {
    id,
    chatId,
    seq,
    updateSeq,
    sender: fromWireUser(sender),
    clientMessageId,
    text,
    createdAt,
    system: system && fromWireSystemEvent(system.event),
    editedAt,
    data,
    deletion: deletedAt && { at: deletedAt, by: deletedBy, hidden },
    reactions: reactions.length > 0 ? reactions.map(fromWireReactionCount) : undefined,
    type: type || undefined,
    silent: silent || undefined,
    replyTo,
    rootId: rootId || undefined,
    streaming: streamingOf[streaming],
    thread: thread && fromWireThread(thread),
    mentions: mentions.length > 0 ? mentions : undefined,
  };
}

const streamingOf: Record<wire.MessageStreaming, MessageStreaming | undefined> = {
  [wire.MessageStreaming.UNSPECIFIED]: undefined,
  [wire.MessageStreaming.STREAMING]: 'STREAMING',
  [wire.MessageStreaming.CANCELLED]: 'CANCELLED',
};
