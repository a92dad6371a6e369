import type { User } from '../../model/chat.ts';

/** Who has an open stream. A user with several is online until the last one ends. */
export interface Presence {
  enter(sessionId: string, user: User): Promise<void>;
  /** Harmless for a session that is not there. */
  leave(sessionId: string): Promise<void>;
  /** Users by id, from the first after `afterUserId`. */
  list(limit: number, afterUserId?: string): Promise<User[]>;
  close(): Promise<void>;
}
