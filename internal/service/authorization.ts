import type { ChatType } from '../model/chat.ts';
import { ChatError, invalidFieldsError } from '../model/errors.ts';
import { type ChatRole, chatRoles } from '../model/member.ts';
import type { MentionFault } from '../model/mention.ts';
import { type ChatOperation, type Operation, operations, type Permission } from '../model/operations.ts';
import type { Principal } from '../model/principal.ts';
import type { Access, Reader } from '../repository/guard.ts';
import type { ReferenceRefusal } from '../repository/message-repository.ts';

/** Returns the operation's row of the table; undefined for an operation that is not listed, which nobody may use. */
export function findPermission(operation: string): Permission | undefined {
  return Object.hasOwn(operations, operation) ? operations[operation as Operation] : undefined;
}

/** Throws PERMISSION_DENIED (METHOD_NOT_ALLOWED) unless the token's roles allow the operation. */
export function authorizeToken(operation: string, principal: Principal): void {
  const permission = findPermission(operation);
  if (permission?.token === 'anyone') return;
  if (!permission?.token.some((role) => principal.roles.includes(role))) {
    throw new ChatError('METHOD_NOT_ALLOWED', `your token does not allow ${operation}`);
  }
}

/**
 * Throws unless the caller, with this role in the chat (undefined: not a member), may use the operation on it: PERMISSION_DENIED (NOT_A_MEMBER,
 * ROLE_TOO_LOW), or NOT_FOUND (CHAT_NOT_FOUND) if the caller may not know that the chat exists.
 */
export function authorizeChat(operation: ChatOperation, principal: Principal, type: ChatType, role?: ChatRole): void {
  const { roles, openRooms }: NonNullable<Permission['chat']> = operations[operation].chat;
  if (tokenServes(operation, principal)) return;
  if (role === undefined && openRooms && type === 'ROOM') return;
  if (role === undefined) throw refusalOf('not_a_member', type);
  if (!roles.includes(role)) throw refusalOf('role_too_low', type);
}

/**
 * Throws unless the caller may use the operation on this member of the chat: as `authorizeChat`, and PERMISSION_DENIED (ROLE_TOO_LOW) if the caller is
 * an administrator of the chat and the member's present or new role is not lower than the caller's.
 */
export function authorizeOver(
  operation: 'UpdateMember' | 'RemoveMember' | 'BanMember',
  principal: Principal,
  { chat, role, targetRole }: Access,
  newRole?: ChatRole,
): void {
  authorizeChat(operation, principal, chat.type, role);
  if (role === undefined || role === 'OWNER' || tokenServes(operation, principal)) return;
  const isBelow = (other: ChatRole) => chatRoles.indexOf(other) < chatRoles.indexOf(role);
  for (const other of [targetRole, newRole]) if (other && !isBelow(other)) throw refusalOf('role_too_low');
}

/** Returns the caller as a reader of a chat: reading throws as `authorizeChat` unless the caller may use the operation on it. */
export function readerFor(operation: ChatOperation, caller: Principal): Reader {
  return { userId: caller.userId, guard: ({ chat, role }) => authorizeChat(operation, caller, chat.type, role) };
}

/** Whether a role of the caller's token allows the operation without a role in the chat. */
export function tokenServes(operation: ChatOperation, { roles }: Principal): boolean {
  const { admins, services }: NonNullable<Permission['chat']> = operations[operation].chat;
  return (admins && roles.includes('admin')) || (services && roles.includes('service')) || false;
}

/** Returns the error for a refusal. `not_a_member` becomes CHAT_NOT_FOUND unless the chat is a room. A refused reference names its field. */
export function refusalOf(
  outcome: 'reused' | 'chat_not_found' | 'not_a_member' | 'role_too_low' | ReferenceRefusal,
  type?: ChatType,
): ChatError {
  switch (outcome) {
    case 'reply_not_found':
      return badReference('reply_to_id');
    case 'root_not_found':
      return badReference('root_id');
    case 'reused':
      return new ChatError('MESSAGE_ID_REUSED', 'this client_message_id was used for a message with other content');
    case 'role_too_low':
      return new ChatError('ROLE_TOO_LOW', 'your role in this chat does not allow this');
    case 'not_a_member':
      // Only rooms are public: a user who is not a member must not learn that another chat exists.
      if (type === 'ROOM') return new ChatError('NOT_A_MEMBER', 'you are not a member of this room');
      return refusalOf('chat_not_found');
    case 'chat_not_found':
      return new ChatError('CHAT_NOT_FOUND', 'there is no such chat');
    default:
      return outcome satisfies never;
  }
}

function badReference(field: 'reply_to_id' | 'root_id'): ChatError {
  const description = 'must name a message of this chat that is neither hidden nor a system message';
  return invalidFieldsError({ field, description });
}

/** The error for a mention that the chat does not allow. */
export function toMentionError({ why, index }: MentionFault): ChatError {
  switch (why) {
    case 'not_a_member':
      return invalidFieldsError({
        field: `mentions[${index}].user_id`,
        description: 'must be the id of a member of the chat',
      });
    case 'everyone_not_allowed':
      return new ChatError('ROLE_TOO_LOW', 'your role in this chat does not allow to mention everyone');
    default:
      return why satisfies never;
  }
}
