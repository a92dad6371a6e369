import type { User } from '../../model/user.ts';

/** What a node tells the others at once. */
export interface PresenceChange {
  /** Users with a session on the node, by the names they gave last. */
  present: readonly User[];
  /** Ids of users without one any more. */
  absent: readonly string[];
}

/**
 * Where nodes tell each other who is online. A node lives while it has told anything within a time that the store knows (`deadAfterMs`);
 * users of others do not count. All methods throw, within seconds, if the store cannot be reached.
 */
export interface PresenceStore {
  /** The node lives. False if the store does not hold what the node told it up to `version`: `replace` mends that. */
  beat(nodeId: string, version: number): Promise<boolean>;

  /** The node lives, and these are all its users. */
  replace(nodeId: string, version: number, users: readonly User[]): Promise<void>;

  /**
   * The node lives, and so has changed. Returns which of the users are online by another living node: of those present as of just before
   * the change, of those absent as of just after. Undefined, and nothing is changed, if the store does not know the node.
   */
  change(nodeId: string, version: number, change: PresenceChange): Promise<Set<string> | undefined>;

  /** Takes out nodes that do not live; returns their users who are gone with them. Of several callers, one is given each user. */
  sweep(): Promise<User[]>;

  /** The node does not live from now on. */
  abandon(nodeId: string): Promise<void>;

  isOnline(userId: string): Promise<boolean>;

  /** Those of the users who are online, in any order, by the names that they gave last. */
  filterOnline(userIds: readonly string[]): Promise<User[]>;

  /** Users by id, from the first after `afterUserId`, by the names that they gave last. */
  list(limit: number, afterUserId?: string): Promise<User[]>;
}
