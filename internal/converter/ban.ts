import type * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { Ban } from '../model/ban.ts';
import type { Complete } from '../model/complete.ts';
import { toWireUser } from './user.ts';

export function toWireBan({ user, bannedBy, reason, createdAt, expiresAt }: Ban): Complete<wire.Ban> {
  return { user: toWireUser(user), bannedBy: toWireUser(bannedBy), reason, createdAt, expiresAt };
}
