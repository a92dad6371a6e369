import type { Message, ReactionChanged, ReactionCount } from '../../api/chat/v1/chat.ts';

/**
 * Returns the message as it is after a reaction to it. `ownId` is the id of the client's user. Returns the same object if the reaction is to another
 * message, or if the message has this or a later count already.
 *
 * @example
 * client.on('reaction', (change) => (message = withReaction(message, change, user.id)));
 */
export function withReaction<T extends Message>(message: T, change: ReactionChanged, ownId: string): T {
  const { messageId, emoji, user, added, count } = change;
  if (messageId !== message.id || !count) return message;
  const { reactions } = message;
  const place = reactions.findIndex((one) => one.emoji === emoji);
  const known = reactions[place];
  const own = user?.id === ownId ? added : (known?.own ?? false);
  // A count that was read later may lack nothing but what this client's user did elsewhere.
  const newest = known && known.seq >= count.seq ? known : count;
  if (known && newest === known && known.own === own) return message;
  const changed: ReactionCount = { ...newest, own };
  const others = reactions.filter((one) => one.emoji !== emoji);
  if (changed.count === 0) return { ...message, reactions: others };
  return { ...message, reactions: known ? reactions.with(place, changed) : [...reactions, changed] };
}
