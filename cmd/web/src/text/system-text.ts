import { ChatRole, type Message } from '../../../../pkg/chat-client/index.ts';
import { listOf, nameOf, roleName } from './names.ts';

/** Returns a sentence that describes a system message. */
export function systemText({ system, sender }: Message): string {
  const event = system?.event;
  const who = nameOf(sender);
  switch (event?.$case) {
    case 'chatCreated':
      return sender ? `${who} started the chat` : 'The chat began';
    case 'membersAdded':
      return `${who} added ${listOf(event.value.users.map(nameOf))}`;
    case 'memberRemoved':
      return `${who} ${event.value.banned ? 'banned' : 'removed'} ${nameOf(event.value.user)}`;
    case 'memberJoined':
      return `${who} joined`;
    case 'memberLeft':
      return `${who} left`;
    case 'ownerChanged':
      return `${nameOf(event.value.user)} is the owner now`;
    case 'roleChanged':
      return `${who} made ${nameOf(event.value.user)} ${withArticle(event.value.role)}`;
    case 'chatUpdated': {
      const { name, description } = event.value;
      if (name !== undefined) return `${who} named the chat “${name}”`;
      if (description !== undefined)
        return description === '' ? `${who} cleared the description` : `${who} changed the description: ${description}`;
      return `${who} changed the chat`;
    }
    case undefined:
      return '';
    default:
      return event satisfies never;
  }
}

function withArticle(role: ChatRole): string {
  return `${role === ChatRole.ADMIN || role === ChatRole.OWNER ? 'an' : 'a'} ${roleName(role).toLowerCase()}`;
}
