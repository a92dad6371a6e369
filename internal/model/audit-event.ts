/** One administrative act, in a chat or in the service. */
export interface AuditEvent {
  id: number;
  at: Date;
  actorId: string;
  /** `chat.create`, `members.ban`, `user.ban`, … */
  action: string;
  /** Absent: the service as a whole. */
  chatId?: string;
  /** More about it, by action. */
  detail: Record<string, unknown>;
}
