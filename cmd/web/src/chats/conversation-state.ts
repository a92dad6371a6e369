import type { MessageWindow } from './message-window.ts';
import type { Outgoing } from './outgoing.ts';

/** The state of a conversation. */
export interface ConversationState {
  window: MessageWindow;
  outgoing: readonly Outgoing[];
  /** Whether the newest page has been read; until then nothing else is. */
  loaded: boolean;
  /** Why it could not be read. */
  problem: string | undefined;
  /** Whether the last change was at the window's beginning: what is on screen is then counted from the end. */
  shift: boolean;
  /** Everything after it was unread when the conversation was opened. */
  unreadAfter: number | undefined;
}
