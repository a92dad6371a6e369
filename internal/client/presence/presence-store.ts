import type { User } from '../../model/user.ts';

/** The changes of a node's users in one write. */
export interface PresenceChange {
  /** Users with a session on the node, with their latest names. */
  present: readonly User[];
  /** Ids of users whose last session on the node has ended. */
  absent: readonly string[];
}

/**
 * A port: the store in which nodes share who is online. A node lives for `deadAfterMs`, an option of the store, after its last write or heartbeat; users
 * of nodes that do not live count as offline. All methods reject within seconds if the store is unreachable.
 */
export interface PresenceStore {
  /** Records a heartbeat of the node. Resolves with false if the store lacks the node's write `version`; the node must then call `replace`. */
  beat(nodeId: string, version: number): Promise<boolean>;

  /** Replaces all users of the node, and records a heartbeat. */
  replace(nodeId: string, version: number, users: readonly User[]): Promise<void>;

  /**
   * Changes users of the node, and records a heartbeat. Returns those of the users who are online on another living node: for present users before the
   * change, for absent users after it. Returns undefined, and changes nothing, if the store does not know the node.
   */
  change(nodeId: string, version: number, change: PresenceChange): Promise<Set<string> | undefined>;

  /** Removes dead nodes. Returns their users who are offline now; of concurrent callers, exactly one gets each user. */
  sweep(): Promise<User[]>;

  /** Makes the node count as dead from now on. */
  abandon(nodeId: string): Promise<void>;

  isOnline(userId: string): Promise<boolean>;

  /** Returns those of the users who are online, in any order, with their latest names. */
  filterOnline(userIds: readonly string[]): Promise<User[]>;

  /** Returns up to `limit` users with ids after `afterUserId`, in the order of their ids, with their latest names. */
  list(limit: number, afterUserId?: string): Promise<User[]>;
}
