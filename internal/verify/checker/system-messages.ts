import type { SystemMessage } from '../../../pkg/api/chat/v1/chat.ts';
import type { MessageRecord } from '../history/history-record.ts';

type SystemKind = NonNullable<SystemMessage['event']>['$case'];

interface Meaning {
  /** The users that a message of this kind concerns: its sender, or the users that it names. */
  concerns: 'sender' | 'named';
  membership: 'begins' | 'goes on' | 'ends';
  /** The role of those users afterwards; absent: the role that the message names. */
  role?: 'OWNER' | 'MEMBER';
}

/** What each kind of system message changes among the members of its chat. */
const meanings: Record<SystemKind, Meaning> = {
  chatCreated: { concerns: 'sender', membership: 'begins', role: 'OWNER' },
  membersAdded: { concerns: 'named', membership: 'begins', role: 'MEMBER' },
  memberJoined: { concerns: 'sender', membership: 'begins', role: 'MEMBER' },
  memberRemoved: { concerns: 'named', membership: 'ends' },
  memberLeft: { concerns: 'sender', membership: 'ends' },
  ownerChanged: { concerns: 'named', membership: 'goes on', role: 'OWNER' },
  roleChanged: { concerns: 'named', membership: 'goes on' },
  // It names nobody.
  chatUpdated: { concerns: 'named', membership: 'goes on' },
};

/** Undefined for a message of a user, and for a kind that only newer services write. */
function meaningOf({ system }: MessageRecord): Meaning | undefined {
  return system && meanings[system.event as SystemKind];
}

/** The users that a system message concerns; none for a message of a user. */
export function concernedUsers(message: MessageRecord): string[] {
  const meaning = meaningOf(message);
  if (!meaning) return [];
  return meaning.concerns === 'sender' ? [message.sender] : message.system!.users;
}

export function beginsMembership(message: MessageRecord, user: string): boolean {
  return meaningOf(message)?.membership === 'begins' && concernedUsers(message).includes(user);
}

export function endsMembership(message: MessageRecord, user: string): boolean {
  return meaningOf(message)?.membership === 'ends' && concernedUsers(message).includes(user);
}

/** Applies a system message to the roles of the members of its chat, by user id. */
export function applyToRoles(roles: Map<string, string>, message: MessageRecord): void {
  const meaning = meaningOf(message);
  if (!meaning) return;
  // The call that created the chat has told the first roles.
  if (message.system?.event === 'chatCreated' && roles.size > 0) return;
  for (const user of concernedUsers(message)) {
    if (meaning.membership === 'ends') roles.delete(user);
    else roles.set(user, meaning.role ?? message.system?.role ?? 'MEMBER');
  }
}
