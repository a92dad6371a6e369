import { ChatRole, type Message } from '../../../../pkg/chat-client/index.ts';

interface MembershipChanges {
  /** The ids of users who became members. */
  came: readonly string[];
  /** The ids of users who are members no more. */
  went: readonly string[];
  newRole?: { userId: string; role: ChatRole };
}

/** What a system message changes among the members of its chat; nothing for other messages. */
export function membershipChanges({ system, sender }: Message): MembershipChanges {
  const event = system?.event;
  switch (event?.$case) {
    case 'membersAdded':
      return { came: event.value.users.map(({ id }) => id), went: [] };
    case 'memberJoined':
      return { came: [sender?.id ?? ''], went: [] };
    case 'memberLeft':
      return { came: [], went: [sender?.id ?? ''] };
    case 'memberRemoved':
      return { came: [], went: [event.value.user?.id ?? ''] };
    case 'ownerChanged':
      return { came: [], went: [], newRole: { userId: event.value.user?.id ?? '', role: ChatRole.OWNER } };
    case 'roleChanged':
      return { came: [], went: [], newRole: { userId: event.value.user?.id ?? '', role: event.value.role } };
    case 'chatCreated':
    case 'chatUpdated':
    case undefined:
      return { came: [], went: [] };
    default:
      return event satisfies never;
  }
}
