import type { ChatRole } from './member.ts';
import type { TokenRole } from './principal.ts';

/** The roles that a caller needs to use an operation. */
export interface Permission {
  /** Any one of these roles in the token; 'anyone': no token is needed. */
  token: readonly TokenRole[] | 'anyone';
  /** For operations on a chat that the request names. Absent if the request names no chat or the operation concerns only the caller's own data. */
  chat?: {
    /** Any one of these roles in the chat. */
    roles: readonly ChatRole[];
    /** Whether users who are not members may use it on rooms. */
    openRooms?: boolean;
    /** Whether the token role `admin` replaces a role in the chat. */
    admins?: boolean;
    /** Whether the token role `service`, which acts for a backend, replaces a role in the chat. */
    services?: boolean;
  };
}

const administrators = ['admin'] as const;
const everyone = ['user', 'admin', 'service'] as const;
const readers = ['READER', 'MEMBER', 'ADMIN', 'OWNER'] as const;
const senders = ['MEMBER', 'ADMIN', 'OWNER'] as const;
const moderators = ['ADMIN', 'OWNER'] as const;
const owners = ['OWNER'] as const;

/**
 * The table of operations: every operation, by its name in the contract, and the roles that may use it. An operation that is not listed is refused.
 * Unary methods, stream commands, permission checks, their tests and `verify` follow this table; `transport/shared/operations` carries the operations
 * out.
 */
export const operations = {
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
  UpdateChat: { token: everyone, chat: { roles: moderators, admins: true, services: true } },
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
  EditMessage: { token: everyone, chat: { roles: senders, services: true } },
  // Members may delete their own messages; the roles of ListMessageVersions, those of others too.
  DeleteMessage: { token: everyone, chat: { roles: readers, admins: true, services: true } },
  ListMessageVersions: { token: everyone, chat: { roles: moderators, admins: true, services: true } },
  AddReaction: { token: everyone, chat: { roles: senders, services: true } },
  RemoveReaction: { token: everyone, chat: { roles: senders, services: true } },
  ListReactions: { token: everyone, chat: { roles: readers } },
  ListChanges: { token: everyone, chat: { roles: readers } },
  GetMessage: { token: everyone, chat: { roles: readers } },
  ListMessages: { token: everyone, chat: { roles: readers } },
  ListThread: { token: everyone, chat: { roles: readers } },
  FollowThread: { token: everyone, chat: { roles: readers } },
  UnfollowThread: { token: everyone, chat: { roles: readers } },
  MarkThreadRead: { token: everyone, chat: { roles: readers } },
  ListThreads: { token: everyone },
  MarkRead: { token: everyone, chat: { roles: readers } },
  MarkUnread: { token: everyone, chat: { roles: readers } },
  MarkDelivered: { token: everyone, chat: { roles: readers } },
  ListReceipts: { token: everyone, chat: { roles: readers } },
  ListMentions: { token: everyone },
  MuteChat: { token: everyone, chat: { roles: readers } },
  ListOnlineUsers: { token: everyone, chat: { roles: readers, openRooms: true, admins: true, services: true } },
  BanUser: { token: administrators },
  UnbanUser: { token: administrators },
  ListBannedUsers: { token: administrators },
  ListAuditEvents: { token: administrators },
  ConnectChat: { token: everyone },
  Subscribe: { token: everyone, chat: { roles: readers } },
  SubscribeAll: { token: everyone },
  SendTyping: { token: everyone, chat: { roles: senders } },
  StartMessage: { token: everyone, chat: { roles: senders, services: true } },
  AppendMessage: { token: everyone, chat: { roles: senders, services: true } },
  FinishMessage: { token: everyone, chat: { roles: senders, services: true } },
  StopMessage: { token: everyone, chat: { roles: readers } },
} as const satisfies Record<string, Permission>;

/** The roles whose members may mention everyone in a chat; so may callers whom the token role `service` serves to send. */
export const everyoneMentioners: readonly ChatRole[] = moderators;

export type Operation = keyof typeof operations;

/** The operations on a chat that the request names. */
export type ChatOperation = {
  [O in Operation]: (typeof operations)[O] extends { chat: object } ? O : never;
}[Operation];
