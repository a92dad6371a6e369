import type { User } from '../model/user.ts';

/** Stores the names of users, as their tokens give them, so that other users can be shown them. */
export interface UserRepository {
  /** Stores the user's newest name. Throws UNAVAILABLE (STORAGE_UNAVAILABLE). */
  remember(user: User): Promise<void>;
}
