import { type Chat, isMentioned, type Message, withChatUpdate } from '../../../../pkg/chat-client/index.ts';
import { membershipChanges } from '../people/membership-changes.ts';

/** A chat of the list, as of its number `lastSeq`. Events with smaller numbers are already in it. */
export interface ListedChat extends Chat {
  /** `lastMessage` is as of this number. It is behind `lastSeq` after a call that returns no last message. */
  lastMessageSeq: number;
  /**
   * Numbers after `readSeq` whose messages are not in `unreadCount`, as ranges: a message was deleted when it was first heard, or is hidden and was never
   * heard. Its deletion, which is yet to come, changes nothing.
   */
  uncounted: readonly NumberRange[];
}

/** From the first to the last number. */
type NumberRange = readonly [number, number];

export function toListed(chat: Chat): ListedChat {
  return { ...chat, lastMessageSeq: chat.lastMessage ? chat.lastSeq : 0, uncounted: [] };
}

/** Returns the chat as it was read, or as it is known if the answer is older than that. */
export function newerOf(read: ListedChat, known: ListedChat | undefined): ListedChat {
  return known && (known.lastSeq > read.lastSeq || isNewerMark(known, read)) ? known : read;
}

type Mark = Pick<Chat, 'readSeq' | 'readGeneration'>;

/** Whether the first is a newer state of the read mark than the other one: it may have moved back. */
export function isNewerMark(one: Mark, other: Mark): boolean {
  const generations = one.readGeneration - other.readGeneration;
  return generations > 0 || (generations === 0 && one.readSeq > other.readSeq);
}

/** Whether the user does not want to be told of the chat's messages, besides those that mention the user. */
export function isMuted({ mutedUntil }: Pick<Chat, 'mutedUntil'>): boolean {
  return mutedUntil !== undefined && mutedUntil > new Date();
}

/** Returns the chat with a message that was sent. */
export function withMessage(chat: ListedChat, message: Message, ownId: string): ListedChat {
  const { seq, deletedAt } = message;
  const shown = seq > chat.lastMessageSeq ? { ...chat, lastMessage: message, lastMessageSeq: seq } : chat;
  if (seq <= chat.lastSeq) return shown;
  const counts = isCounted(message, ownId);
  return {
    ...withMembers(withChatUpdate(shown, message), message, ownId),
    lastSeq: seq,
    unreadCount: chat.unreadCount + (counts && !deletedAt ? 1 : 0),
    mentionCount: chat.mentionCount + (counts && !deletedAt && isMentioned(message, ownId) ? 1 : 0),
    uncounted: deletedAt ? [...uncountedBefore(chat, seq), [seq, seq]] : uncountedBefore(chat, seq),
  };
}

/** Returns the chat with a message's new state. A deleted message no longer counts as unread. */
export function withChange(chat: ListedChat, message: Message, ownId: string): ListedChat {
  const { seq, updateSeq, deletedAt } = message;
  const { lastMessage, lastMessageSeq, readSeq, joinedSeq } = chat;
  const isLast = seq === lastMessage?.seq && updateSeq > lastMessage.updateSeq;
  const shown =
    updateSeq > lastMessageSeq
      ? { ...chat, lastMessage: isLast ? message : lastMessage, lastMessageSeq: updateSeq }
      : chat;
  if (updateSeq <= chat.lastSeq) return shown;
  const uncounted = uncountedBefore(chat, updateSeq);
  const isUncounted = uncounted.some(([from, to]) => from <= seq && seq <= to);
  const wasCounted = seq > Math.max(readSeq, joinedSeq) && isCounted(message, ownId) && !isUncounted;
  return {
    ...shown,
    lastSeq: updateSeq,
    unreadCount: Math.max(0, chat.unreadCount - (deletedAt && wasCounted ? 1 : 0)),
    uncounted,
  };
}

/** Returns `uncounted` when this number is heard next. Numbers are heard in order: those that are left out belong to nothing that can be seen. */
function uncountedBefore({ uncounted, lastSeq, readSeq }: ListedChat, number: number): readonly NumberRange[] {
  const unread = uncounted.filter(([, to]) => to > readSeq);
  return number > lastSeq + 1 ? [...unread, [lastSeq + 1, number - 1]] : unread;
}

function isCounted({ sender, system, silent }: Message, ownId: string): boolean {
  return !system && !silent && sender?.id !== ownId;
}

/** Returns the chat with the change of membership that a system message describes. */
function withMembers(chat: ListedChat, message: Message, ownId: string): ListedChat {
  const { came, went, newRole } = membershipChanges(message);
  const memberCount = Math.max(0, chat.memberCount + came.length - went.length);
  return { ...chat, memberCount, ...(newRole?.userId === ownId && { ownRole: newRole.role }) };
}
