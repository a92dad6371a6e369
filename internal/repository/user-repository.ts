import type { User } from '../model/user.ts';

/** Stores the names of users, as their tokens give them, so that other users can be shown them. */
export interface UserRepository {
  /** Stores the user's newest name. Throws UNAVAILABLE (STORAGE_UNAVAILABLE). */
  remember(user: User): Promise<void>;

  /** Finds users whose id, or whose name in upper or lower case, begins with the text; ordered by id. Throws UNAVAILABLE (STORAGE_UNAVAILABLE). */
  search(prefix: string, limit: number): Promise<User[]>;
}
