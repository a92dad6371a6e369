import { type Chat, ChatRole, ChatType, type User } from '../../../../pkg/chat-client/index.ts';

/** Returns a user's display name, or the id of a user that has never connected. */
export function nameOf(user: User | undefined): string {
  return user?.name || user?.id || 'Somebody';
}

export function titleOf({ type, name, peer }: Chat): string {
  return type === ChatType.DIRECT ? nameOf(peer) : name || 'Group';
}

/** Returns the initials of a name, at most two letters. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s_.-]+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = words.map((word) => [...word].find((letter) => /[\p{L}\p{N}]/u.test(letter)) ?? '');
  return (letters.length > 1 ? [letters[0], letters.at(-1)] : letters).join('').toUpperCase() || '?';
}

/** A hue in degrees, always the same for the same id. */
export function hueOf(id: string): number {
  let hash = 2_166_136_261;
  for (const character of id) hash = Math.imul(hash ^ character.codePointAt(0)!, 16_777_619) >>> 0;
  return (hash % 24) * 15;
}

const roles: Record<ChatRole, string> = {
  [ChatRole.UNSPECIFIED]: '',
  [ChatRole.READER]: 'Reader',
  [ChatRole.MEMBER]: 'Member',
  [ChatRole.ADMIN]: 'Administrator',
  [ChatRole.OWNER]: 'Owner',
};

export function roleName(role: ChatRole): string {
  return roles[role];
}

/** `Anna`, `Anna and Ben`, `Anna, Ben and Carla`. */
export function listOf(names: readonly string[]): string {
  return new Intl.ListFormat('en-GB').format(names);
}
