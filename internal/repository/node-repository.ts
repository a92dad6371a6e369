import type { Node, SeenNode } from '../model/node.ts';

/** The processes that use one database. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE) while it cannot be reached. */
export interface NodeRepository {
  /** Records that the node lives, and removes those that have not told so for `expireAfterMs` milliseconds. */
  tell(node: Node, expireAfterMs: number): Promise<void>;

  /** Lists the nodes that have told that they live within `expireAfterMs` milliseconds, the oldest process first. */
  list(expireAfterMs: number): Promise<SeenNode[]>;

  /** Removes a node that ends. */
  remove(id: string): Promise<void>;
}
