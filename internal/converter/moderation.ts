import * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { AuditEvent } from '../model/audit-event.ts';
import type { Ban } from '../model/ban.ts';
import type { ChatRole } from '../model/member.ts';
import { toWireUser } from './chat.ts';

/** Undefined for the unspecified role. */
export function fromWireRole(role: wire.ChatRole): ChatRole | undefined {
  switch (role) {
    case wire.ChatRole.READER:
      return 'READER';
    case wire.ChatRole.MEMBER:
      return 'MEMBER';
    case wire.ChatRole.ADMIN:
      return 'ADMIN';
    case wire.ChatRole.OWNER:
      return 'OWNER';
    case wire.ChatRole.UNSPECIFIED:
      return undefined;
    default:
      return role satisfies never;
  }
}

export function toWireBan({ user, bannedBy, reason, createdAt, expiresAt }: Ban): wire.Ban {
  return { user: toWireUser(user), bannedBy: toWireUser(bannedBy), reason, createdAt, expiresAt };
}

export function toWireAuditEvent({ id, at, actorId, action, chatId = '', detail }: AuditEvent): wire.AuditEvent {
  return { id, at, actorId, action, chatId, detail };
}
