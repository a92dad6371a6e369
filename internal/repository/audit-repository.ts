import type { AuditEvent } from '../model/audit-event.ts';
import type { Page } from '../model/page.ts';
import type { User } from '../model/user.ts';

/** Selects entries of the audit log; a field that is absent does not restrict them. */
export interface AuditFilter {
  chatId?: string;
  actorId?: string;
}

/** Stores the audit log, which every administrative change writes to in its own transaction. Throws UNAVAILABLE (STORAGE_UNAVAILABLE). */
export interface AuditRepository {
  /** Records an act that changes nothing in the database: on the chat, or on the service as a whole. */
  record(actor: User, action: string, detail: Record<string, unknown>, chatId?: string): Promise<void>;

  /** Lists entries, newest first; with `beforeId`, entries with a smaller id. */
  list(filter: AuditFilter, limit: number, beforeId?: number): Promise<Page<AuditEvent, number>>;
}
