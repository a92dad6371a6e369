import type { Operation } from '../../model/operations.ts';

const accounts = 'participants sign in and renew their tokens by it; accounts are not what is checked';
const lists = 'it only lists what other operations have done';

/** The operations of the contract that no random operation uses, each with the reason. */
export const notAsked: Partial<Record<Operation, string>> = {
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
  ListMessageVersions: lists,
  ListReactions: lists,
  GetMessage: 'ListMessages reads the same rows',
  ListBans: lists,
  ListBannedUsers: lists,
  ListAuditEvents: lists,
  ListThreads: 'ListThread reads the same threads, and a recount in the tests of the service covers its unread counts',
};
