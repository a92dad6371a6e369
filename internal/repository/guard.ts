import type { ChatType } from '../model/chat.ts';
import type { ChatRole } from '../model/member.ts';

/** A chat and the roles in it that a change depends on, read while the chat is locked. */
export interface Access {
  chat: { id: string; type: ChatType };
  /** The actor's role; absent if the actor is not a member. */
  role?: ChatRole;
  /** The role of the user that the change is about; absent if that user is not a member, or the change is about no single user. */
  targetRole?: ChatRole;
}

/**
 * Decides whether a change of a chat may go on: throws if it may not, and then nothing is changed. It is called while the chat is locked, so
 * that what it has seen is still true when the change commits.
 */
export type Guard = (access: Access) => void;

/** A user who reads a chat. The guard throws if the user may not; it is called with the user's role in the snapshot that was read. */
export interface Reader {
  userId: string;
  guard: Guard;
}
