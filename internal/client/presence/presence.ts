import type { User } from '../../model/chat.ts';

/** Who has an open stream. A user with several is online until the last one ends. */
export interface Presence {
  /** Whether it is the user's first session. */
  enter(sessionId: string, user: User): Promise<boolean>;
  /** Whether it was the user's last session. Harmless for a session that is not there. */
  leave(sessionId: string): Promise<boolean>;
  isOnline(userId: string): Promise<boolean>;
  /** Users by id, from the first after `afterUserId`. */
  list(limit: number, afterUserId?: string): Promise<User[]>;
  close(): Promise<void>;
}
