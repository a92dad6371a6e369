import type { User } from './user.ts';

/** The ban of a user from a chat or from the service. */
export interface Ban {
  user: User;
  bannedBy: User;
  reason: string;
  createdAt: Date;
  /** When the ban ends; absent: when a moderator lifts it. */
  expiresAt?: Date;
}

/** The beginning or end of a user's ban from the service. `expiresAt` is absent if the ban has no end. */
export interface BanChange {
  userId: string;
  banned: boolean;
  expiresAt?: Date;
}
