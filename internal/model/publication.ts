import type { EphemeralEvent } from './ephemeral-event.ts';
import type { Message } from './message.ts';

/** What is said of a chat to the nodes that have readers for it. */
export type ChatPublication =
  /** These were committed; in order, but a subscriber may miss some or get them late. */
  | { kind: 'messages'; messages: readonly Message[] }
  /** The chat has come at least this far; what is missing can be read from the repository. */
  | { kind: 'head'; seq: number }
  /** The chat was deleted. */
  | { kind: 'deleted' }
  /** For live readers; `onlyTo`: for this user's only. */
  | { kind: 'ephemeral'; event: EphemeralEvent; onlyTo?: string };

/** What is said of a user to the nodes that have sessions of that user: look at the memberships. */
export type UserPublication = { kind: 'membership_changed' };
