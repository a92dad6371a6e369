import type * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { Complete } from '../model/complete.ts';
import type { Reaction, ReactionChange, ReactionCount, ReactionRequest } from '../model/reaction.ts';
import { normalizeId } from './command.ts';
import { fromWireUser, toWireUser } from './user.ts';

export function toWireReactionChange(change: ReactionChange): Complete<wire.ReactionChanged> {
  const { chatId, messageId, messageSeq, seq, user, emoji, added, createdAt, count } = change;
  const wireCount = toWireReactionCount(count);
  return { chatId, messageId, messageSeq, seq, user: toWireUser(user), emoji, added, createdAt, count: wireCount };
}

/** Converts a change from another node. Throws TypeError for one that `toWireReactionChange` cannot have written. */
export function fromWireReactionChange(change: wire.ReactionChanged): Complete<ReactionChange> {
  const { chatId, messageId, messageSeq, seq, user, emoji, added, createdAt, count } = change;
  if (!chatId || !messageId || !createdAt || !count || messageSeq < 1 || seq <= messageSeq)
    throw new TypeError('a reaction lacks required fields');
  const from = fromWireUser(user);
  return {
    chatId,
    messageId,
    messageSeq,
    seq,
    user: from,
    emoji,
    added,
    createdAt,
    count: fromWireReactionCount(count),
  };
}

export function toWireReactionCount({ emoji, count, own = false, seq }: ReactionCount): Complete<wire.ReactionCount> {
  return { emoji, count, own, seq };
}

export function fromWireReactionCount({ emoji, count, own, seq }: wire.ReactionCount): Complete<ReactionCount> {
  return { emoji, count, seq, own: own || undefined };
}

export function toWireReaction({ emoji, user, seq, createdAt }: Reaction): Complete<wire.Reaction> {
  return { emoji, user: toWireUser(user), seq, createdAt };
}

export function fromWireReaction({
  chatId,
  messageId,
  emoji,
  clientChangeId,
}: wire.AddReactionRequest | wire.RemoveReactionRequest): Complete<ReactionRequest> {
  return { chatId: normalizeId(chatId), messageId: normalizeId(messageId), emoji, clientChangeId };
}
