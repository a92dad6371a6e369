import type * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { AuditEvent } from '../model/audit-event.ts';
import type { Complete } from '../model/complete.ts';

export function toWireAuditEvent(event: AuditEvent): Complete<wire.AuditEvent> {
  const { id, at, actorId, action, chatId = '', detail } = event;
  return { id, at, actorId, action, chatId, detail };
}
