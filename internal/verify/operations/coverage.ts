import type { Operation } from '../../model/operations.ts';

/** The random operations that ask for an operation of the contract, by name; or the reason why none does. */
type Coverage = readonly [string, ...string[]] | { because: string };

const accounts = { because: 'accounts are not what is checked: participants sign in and renew their tokens by it' };
const lists = { because: 'it only lists what others have done, and is called when the run is over or not at all' };

/** For each operation of the contract how `verify` exercises it. An operation that is missing here does not compile. */
export const coverage: Record<Operation, Coverage> = {
  Register: accounts,
  Login: accounts,
  Guest: accounts,
  Refresh: accounts,
  GetKeySet: accounts,
  GetOpenIdConfiguration: accounts,
  ListRevocations: accounts,
  Logout: accounts,
  GetMe: accounts,
  ChangePassword: accounts,
  ListSessions: accounts,
  RevokeSession: accounts,
  ListAuthEvents: accounts,
  CreateChat: ['create a group', 'open a direct chat'],
  GetChat: ['look at a chat'],
  ListChats: ['list'],
  DeleteChat: ['delete a chat'],
  AddMembers: ['add a member'],
  ListMembers: ['list'],
  UpdateMember: ['change a role'],
  RemoveMember: ['remove a member'],
  BanMember: ['ban a member'],
  UnbanMember: ['lift a ban'],
  ListBans: lists,
  LeaveChat: ['leave'],
  ListRooms: ['list'],
  JoinRoom: ['join a room'],
  SendMessage: [
    'send',
    'send many at once',
    'send twice at once',
    'send again',
    'send with a used id',
    'send and vanish',
  ],
  GetMessage: { because: 'ListMessages reads the same rows' },
  ListMessages: ['read the newest', 'read back', 'read on', 'read where one is not'],
  MarkRead: ['mark read'],
  ListOnlineUsers: ['list'],
  BanUser: ['ban a user from the service for a while'],
  UnbanUser: ['ban a user from the service for a while'],
  ListBannedUsers: lists,
  ListAuditEvents: lists,
  ConnectChat: ['reconnect', 'stall', 'say nonsense', 'ping, type, renew the token'],
  Subscribe: ['read again from earlier'],
  SubscribeAll: ['reconnect'],
  SendTyping: ['ping, type, renew the token'],
};
