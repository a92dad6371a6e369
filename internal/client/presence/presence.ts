import type { User } from '../../model/user.ts';

/**
 * Who has an open stream. A user with several is online until the last one ends, on whichever nodes they are. The users of a node that
 * has died are gone within 15 seconds. Nothing here fails because the other nodes cannot be asked: the answers are then of this
 * node's own sessions.
 */
export interface Presence {
  /** Whether it is the user's first session. */
  enter(sessionId: string, user: User): Promise<boolean>;
  /** Whether it was the user's last session. Harmless for a session that is not there. */
  leave(sessionId: string): Promise<boolean>;
  isOnline(userId: string): Promise<boolean>;
  /** Those of the users who are online, in any order. */
  filterOnline(userIds: readonly string[]): Promise<User[]>;
  /** Users by id, from the first after `afterUserId`. */
  list(limit: number, afterUserId?: string): Promise<User[]>;
  /** Calls the listener for each user who is gone because the node of their last session is. Of all nodes, one calls. */
  onGone(listener: (user: User) => void): void;
  /** Calls the listener for users of this node who were taken for gone, as this node was: it has been silent for too long. */
  onBack(listener: (user: User) => void): void;
  /** Nobody has been told yet that these have gone. Some other node will find them gone once this one has closed. */
  handOver(users: readonly User[]): void;
  close(): Promise<void>;
}
