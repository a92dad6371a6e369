import type { AuditEvent } from '../model/audit-event.ts';
import type { Page } from '../model/page.ts';

/** Which administrative acts; what is absent narrows nothing. */
export interface AuditFilter {
  chatId?: string;
  actorId?: string;
}

/** The audit log, as each administrative change has written it. Throws UNAVAILABLE (STORAGE_UNAVAILABLE). */
export interface AuditRepository {
  /** The newest first; with `beforeId` only what has a smaller id. */
  list(filter: AuditFilter, limit: number, beforeId?: number): Promise<Page<AuditEvent, number>>;
}
