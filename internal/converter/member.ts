import * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { Complete } from '../model/complete.ts';
import type { ChatRole, Member } from '../model/member.ts';
import { toWireUser } from './user.ts';

export function toWireMember(member: Member): Complete<wire.Member> {
  const { user, role, joinedAt, readSeq, readGeneration, deliveredSeq } = member;
  return { user: toWireUser(user), role: toWireRole(role), joinedAt, readSeq, readGeneration, deliveredSeq };
}

export function toWireRole(role: ChatRole | undefined): wire.ChatRole {
  return role ? wire.ChatRole[role] : wire.ChatRole.UNSPECIFIED;
}

const roles: Record<wire.ChatRole, ChatRole | undefined> = {
  [wire.ChatRole.UNSPECIFIED]: undefined,
  [wire.ChatRole.READER]: 'READER',
  [wire.ChatRole.MEMBER]: 'MEMBER',
  [wire.ChatRole.ADMIN]: 'ADMIN',
  [wire.ChatRole.OWNER]: 'OWNER',
};

/** Converts a role; undefined for UNSPECIFIED and for a role of a newer release. */
export function fromWireRole(role: wire.ChatRole): ChatRole | undefined {
  return roles[role];
}
