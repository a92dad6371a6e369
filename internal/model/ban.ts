import type { User } from './user.ts';

/** Keeps a user out, of a chat or of the service. */
export interface Ban {
  user: User;
  bannedBy: User;
  reason: string;
  createdAt: Date;
  /** Absent: until it is lifted. */
  expiresAt?: Date;
}

/** A user was banned (until a time, or for good), or is not any more. */
export interface BanChange {
  userId: string;
  banned: boolean;
  expiresAt?: Date;
}
