/** Stores what members set for a chat for themselves. */
export interface PersonalSettingsRepository {
  /**
   * Sets until when the member does not want to be notified of the chat; undefined: it is not muted any more. Returns false if the user is not a member.
   * Throws UNAVAILABLE (STORAGE_UNAVAILABLE) while the database cannot be reached.
   */
  mute(chatId: string, userId: string, until: Date | undefined): Promise<boolean>;
}
