/** An entry of the audit log: one administrative act, in a chat or in the whole service. */
export interface AuditEvent {
  id: number;
  at: Date;
  actorId: string;
  /** `chat.create`, `members.ban`, `user.ban`, … */
  action: string;
  /** The chat that it concerns; absent: the service as a whole. */
  chatId?: string;
  /** Details, which differ by action. */
  detail: Record<string, unknown>;
}
