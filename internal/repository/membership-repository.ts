import type { Membership } from '../model/member.ts';

/** A user's membership in a chat, with the chat's last number and number of members, all read in one snapshot. */
export interface MembershipSnapshot extends Membership {
  chatId: string;
  lastSeq: number;
  memberCount: number;
}

/**
 * Reads a user's memberships, as streams and the checks of single calls need them. These are asked for whenever a stream opens: the adapter
 * answers identical questions that arrive together by one query. Every answer is of a snapshot taken after the question. Every method throws
 * UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached.
 */
export interface MembershipRepository {
  /** Undefined if the user is not a member, or the chat does not exist. */
  find(chatId: string, userId: string): Promise<MembershipSnapshot | undefined>;

  /** Lists at most `limit` of the user's memberships, those in the most recently changed chats first. */
  listOfUser(userId: string, limit: number): Promise<MembershipSnapshot[]>;

  /** Returns the ids of those of the user's chats that have at most `maxMembers` members. */
  listSmallChats(userId: string, maxMembers: number): Promise<string[]>;

  /** Returns a number for each user that rises whenever a membership of that user begins or ends; nothing for users never seen. */
  listVersions(userIds: readonly string[]): Promise<Map<string, number>>;
}
