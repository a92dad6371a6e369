import {
  type Message,
  type MessagePart,
  type ReactionChanged,
  type ThreadSummary,
  withPart,
  withReaction,
} from '../../../../pkg/chat-client/index.ts';

/** A contiguous range of a chat's history, in order. */
export interface MessageWindow {
  messages: readonly Message[];
  hasOlder: boolean;
  hasNewer: boolean;
}

export const emptyWindow: MessageWindow = { messages: [], hasOlder: false, hasNewer: false };

/** Maximum number of messages in a window. */
export const maxMessages = 600;

/** Returns the window with a page of earlier messages. */
export function withOlder(window: MessageWindow, page: readonly Message[], hasMore: boolean): MessageWindow {
  const first = window.messages[0]?.seq ?? Number.POSITIVE_INFINITY;
  const older = page.filter(({ seq }) => seq < first);
  return { ...window, messages: [...older, ...window.messages], hasOlder: hasMore };
}

/** Returns the window with a page of later messages. */
export function withNewer(window: MessageWindow, page: readonly Message[], hasMore: boolean): MessageWindow {
  const last = lastSeq(window);
  const newer = page.filter(({ seq }) => seq > last);
  return { ...window, messages: [...window.messages, ...newer], hasNewer: hasMore };
}

/** Returns the window with a message that was sent: at its end, if the window reaches to the end of the chat. */
export function withSent(window: MessageWindow, message: Message): MessageWindow {
  if (message.seq <= lastSeq(window)) return withChange(window, message);
  return window.hasNewer || message.hidden ? window : { ...window, messages: [...window.messages, message] };
}

/** Returns the window with the new state of a message, if it has an older state of the message. Hidden messages are left out. */
export function withChange(window: MessageWindow, message: Message): MessageWindow {
  const index = window.messages.findIndex(({ seq }) => seq === message.seq);
  if (index < 0 || window.messages[index]!.updateSeq >= message.updateSeq) return window;
  // Events carry neither the thread nor the reactions.
  const { thread, reactions } = window.messages[index]!;
  const kept = message.deletedAt ? [] : message.reactions.length > 0 ? message.reactions : reactions;
  const changed = { ...message, thread: message.thread ?? thread, reactions: kept };
  const messages = message.hidden ? window.messages.toSpliced(index, 1) : window.messages.with(index, changed);
  return { ...window, messages };
}

/** Returns the window with a part of a growing message, if it has the message without the part. */
export function withGrowth(window: MessageWindow, part: MessagePart): MessageWindow {
  const index = window.messages.findIndex(({ id }) => id === part.messageId);
  const known = window.messages[index];
  const grown = known && withPart(known, part);
  return grown && grown !== known ? { ...window, messages: window.messages.with(index, grown) } : window;
}

/** Returns the window with a reaction to a message, if it has the message without the reaction. */
export function withReacted(window: MessageWindow, change: ReactionChanged, ownId: string): MessageWindow {
  const index = window.messages.findIndex(({ id }) => id === change.messageId);
  const known = window.messages[index];
  const reacted = known && withReaction(known, change, ownId);
  return reacted && reacted !== known ? { ...window, messages: window.messages.with(index, reacted) } : window;
}

/** Returns the window with the summary of a thread on its root, if the window has the root. */
export function withThread(
  window: MessageWindow,
  rootId: string,
  next: (thread: ThreadSummary | undefined) => ThreadSummary | undefined,
): MessageWindow {
  const index = window.messages.findIndex(({ id }) => id === rootId);
  if (index < 0) return window;
  const root = window.messages[index]!;
  const thread = next(root.thread);
  return thread === root.thread ? window : { ...window, messages: window.messages.with(index, { ...root, thread }) };
}

/** Without the oldest, or without the newest, of what is beyond the limit. */
export function trimmed(window: MessageWindow, end: 'oldest' | 'newest'): MessageWindow {
  const { messages } = window;
  if (messages.length <= maxMessages) return window;
  return end === 'oldest'
    ? { ...window, messages: messages.slice(-maxMessages), hasOlder: true }
    : { ...window, messages: messages.slice(0, maxMessages), hasNewer: true };
}

export function lastSeq({ messages }: MessageWindow): number {
  return messages.at(-1)?.seq ?? 0;
}
