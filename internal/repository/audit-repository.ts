import type { AuditEvent } from '../model/audit-event.ts';
import type { Page } from '../model/page.ts';

/** Selects entries of the audit log; a field that is absent does not restrict them. */
export interface AuditFilter {
  chatId?: string;
  actorId?: string;
}

/** Reads the audit log, which every administrative change writes to in its own transaction. Throws UNAVAILABLE (STORAGE_UNAVAILABLE). */
export interface AuditRepository {
  /** Lists entries, newest first; with `beforeId`, entries with a smaller id. */
  list(filter: AuditFilter, limit: number, beforeId?: number): Promise<Page<AuditEvent, number>>;
}
