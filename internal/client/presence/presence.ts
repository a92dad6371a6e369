import type { User } from '../../model/user.ts';

/**
 * A port: knows which users are online. A user is online until their last session on any node ends; the users of a node that dies go offline within
 * 15 seconds. No method fails when the other nodes cannot be asked: answers then cover this node's sessions only.
 */
export interface Presence {
  /** Adds a session. Resolves with true if the user was offline before. */
  enter(sessionId: string, user: User): Promise<boolean>;
  /** Removes a session. Resolves with true if it was the user's last. Does nothing for a session that has not entered. */
  leave(sessionId: string): Promise<boolean>;
  isOnline(userId: string): Promise<boolean>;
  /** Returns those of the users who are online, in any order. */
  filterOnline(userIds: readonly string[]): Promise<User[]>;
  /** Returns up to `limit` users with ids after `afterUserId`, in the order of their ids. */
  list(limit: number, afterUserId?: string): Promise<User[]>;
  /** Calls the listener for each user who went offline because the node of their last session died. Only one node calls it for a user. */
  onGone(listener: (user: User) => void): void;
  /** Calls the listener for users of this node whom another node has announced as offline, because this node was silent for too long. */
  onBack(listener: (user: User) => void): void;
  /** Leaves to another node to announce that these users are offline: it finds them when this node has closed. */
  handOver(users: readonly User[]): void;
  close(): Promise<void>;
}
