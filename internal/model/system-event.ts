import type { ChatFields } from './chat-fields.ts';
import type { ChatRole } from './member.ts';
import type { User } from './user.ts';

/** A change of a chat or its members, recorded as a system message. The sender of the message is the user who made the change. */
export type SystemEvent =
  | { kind: 'chat_created' }
  | { kind: 'members_added'; users: User[] }
  | { kind: 'member_removed'; user: User; banned?: boolean }
  | { kind: 'member_joined' }
  | { kind: 'member_left' }
  | { kind: 'owner_changed'; user: User }
  | { kind: 'role_changed'; user: User; role: ChatRole }
  // With the new values of the fields that changed.
  | ({ kind: 'chat_updated' } & Partial<ChatFields>);

/** Returns the membership that a system message ended; undefined for all other messages. */
export function endedMembership({
  system,
  sender,
}: {
  system?: SystemEvent;
  sender: User;
}): { userId: string; reason: 'LEFT' | 'REMOVED' | 'BANNED' } | undefined {
  switch (system?.kind) {
    case 'member_left':
      return { userId: sender.id, reason: 'LEFT' };
    case 'member_removed':
      return { userId: system.user.id, reason: system.banned ? 'BANNED' : 'REMOVED' };
    case 'chat_created':
    case 'members_added':
    case 'member_joined':
    case 'owner_changed':
    case 'role_changed':
    case 'chat_updated':
    case undefined:
      return undefined;
    default:
      return system satisfies never;
  }
}
