import type { ChatType } from '../model/chat.ts';
import { ChatError } from '../model/errors.ts';
import { type ChatRole, chatRoles } from '../model/member.ts';
import type { Principal, TokenRole } from '../model/principal.ts';
import type { Access } from '../repository/chat-repository.ts';

/** What a caller must be to use a method. */
export interface Permission {
  /** Any one of these roles in the token; 'anyone': no token is needed. */
  token: readonly TokenRole[] | 'anyone';
  /** For methods that name a chat. Absent: the method names none, or shows each caller only their own. */
  chat?: {
    /** Any one of these roles in the chat. */
    roles: readonly ChatRole[];
    /** Whether rooms are open to those who are not members. */
    openRooms?: boolean;
    /** Whether the token role `admin` serves instead. */
    admins?: boolean;
    /** Whether the token role `service`, which acts for a backend, serves instead. */
    services?: boolean;
  };
}

const administrators = ['admin'] as const;
const everyone = ['user', 'admin', 'service'] as const;
const readers = ['READER', 'MEMBER', 'ADMIN', 'OWNER'] as const;
const senders = ['MEMBER', 'ADMIN', 'OWNER'] as const;
const moderators = ['ADMIN', 'OWNER'] as const;
const owners = ['OWNER'] as const;

/** Who may do what. A method that is not here may be used by nobody. Commands of a stream stand under the method they equal. */
export const permissions = {
  Register: { token: 'anyone' },
  Login: { token: 'anyone' },
  Guest: { token: 'anyone' },
  Refresh: { token: 'anyone' },
  GetKeySet: { token: 'anyone' },
  GetOpenIdConfiguration: { token: 'anyone' },
  ListRevocations: { token: 'anyone' },
  Logout: { token: everyone },
  GetMe: { token: everyone },
  ChangePassword: { token: everyone },
  ListSessions: { token: everyone },
  RevokeSession: { token: everyone },
  ListAuthEvents: { token: administrators },
  CreateChat: { token: everyone },
  GetChat: { token: everyone, chat: { roles: readers, openRooms: true, admins: true, services: true } },
  ListChats: { token: everyone },
  DeleteChat: { token: everyone, chat: { roles: owners, admins: true, services: true } },
  AddMembers: { token: everyone, chat: { roles: moderators, admins: true, services: true } },
  ListMembers: { token: everyone, chat: { roles: readers, openRooms: true, admins: true, services: true } },
  UpdateMember: { token: everyone, chat: { roles: moderators, admins: true, services: true } },
  RemoveMember: { token: everyone, chat: { roles: moderators, admins: true, services: true } },
  BanMember: { token: everyone, chat: { roles: moderators, admins: true, services: true } },
  UnbanMember: { token: everyone, chat: { roles: moderators, admins: true, services: true } },
  ListBans: { token: everyone, chat: { roles: moderators, admins: true, services: true } },
  LeaveChat: { token: everyone, chat: { roles: readers } },
  ListRooms: { token: everyone },
  JoinRoom: { token: everyone },
  SendMessage: { token: everyone, chat: { roles: senders, services: true } },
  GetMessage: { token: everyone, chat: { roles: readers } },
  ListMessages: { token: everyone, chat: { roles: readers } },
  MarkRead: { token: everyone, chat: { roles: readers } },
  ListOnlineUsers: { token: everyone, chat: { roles: readers, openRooms: true, admins: true, services: true } },
  BanUser: { token: administrators },
  UnbanUser: { token: administrators },
  ListBannedUsers: { token: administrators },
  ListAuditEvents: { token: administrators },
  ConnectChat: { token: everyone },
  Subscribe: { token: everyone, chat: { roles: readers } },
  SubscribeAll: { token: everyone },
  SendTyping: { token: everyone, chat: { roles: senders } },
} as const satisfies Record<string, Permission>;

export type Method = keyof typeof permissions;
type ChatMethod = { [M in Method]: (typeof permissions)[M] extends { chat: object } ? M : never }[Method];

/** Undefined for a method that may be used by nobody. */
export function findPermission(method: string): Permission | undefined {
  return Object.hasOwn(permissions, method) ? permissions[method as Method] : undefined;
}

/** Throws PERMISSION_DENIED (METHOD_NOT_ALLOWED) unless the token's roles allow the method. */
export function authorizeToken(method: string, principal: Principal): void {
  const permission = findPermission(method);
  if (permission?.token === 'anyone') return;
  if (!permission?.token.some((role) => principal.roles.includes(role))) {
    throw new ChatError('METHOD_NOT_ALLOWED', `your token does not allow ${method}`);
  }
}

/**
 * Throws unless the caller may use the method on a chat of this type, being (or not being) a member: NOT_FOUND
 * (CHAT_NOT_FOUND) for a chat that the caller may not even see, else PERMISSION_DENIED (NOT_A_MEMBER, ROLE_TOO_LOW).
 */
export function authorizeChat(method: ChatMethod, principal: Principal, type: ChatType, role?: ChatRole): void {
  const { roles, openRooms }: NonNullable<Permission['chat']> = permissions[method].chat;
  if (tokenServes(method, principal)) return;
  if (role === undefined && openRooms && type === 'ROOM') return;
  if (role === undefined) throw refusalOf('not_a_member', type);
  if (!roles.includes(role)) throw refusalOf('role_too_low', type);
}

/**
 * Throws unless the caller may use the method on this member of the chat: as `authorizeChat`, and PERMISSION_DENIED
 * (ROLE_TOO_LOW) for an administrator of the chat if the member, or the role that the member shall have, is not below.
 */
export function authorizeOver(
  method: 'UpdateMember' | 'RemoveMember' | 'BanMember',
  principal: Principal,
  { chat, role, targetRole }: Access,
  newRole?: ChatRole,
): void {
  authorizeChat(method, principal, chat.type, role);
  if (role === undefined || role === 'OWNER' || tokenServes(method, principal)) return;
  const isBelow = (other: ChatRole) => chatRoles.indexOf(other) < chatRoles.indexOf(role);
  for (const other of [targetRole, newRole]) if (other && !isBelow(other)) throw refusalOf('role_too_low');
}

/** Whether the caller's token serves instead of a role in the chat. */
export function tokenServes(method: ChatMethod, { roles }: Principal): boolean {
  const { admins, services }: NonNullable<Permission['chat']> = permissions[method].chat;
  return (admins && roles.includes('admin')) || (services && roles.includes('service')) || false;
}

/** Why a caller may not do something in a chat, in the words of the error list. */
export function refusalOf(
  outcome: 'reused' | 'chat_not_found' | 'not_a_member' | 'role_too_low',
  type?: ChatType,
): ChatError {
  switch (outcome) {
    case 'reused':
      return new ChatError('MESSAGE_ID_REUSED', 'this client_message_id was used for a message with other content');
    case 'role_too_low':
      return new ChatError('ROLE_TOO_LOW', 'your role in this chat does not allow this');
    case 'not_a_member':
      // Only rooms are public: of other chats a stranger does not learn that they exist.
      if (type === 'ROOM') return new ChatError('NOT_A_MEMBER', 'you are not a member of this room');
      return refusalOf('chat_not_found');
    case 'chat_not_found':
      return new ChatError('CHAT_NOT_FOUND', 'there is no such chat');
    default:
      return outcome satisfies never;
  }
}
