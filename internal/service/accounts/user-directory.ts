import type { AuthSession } from '../../model/account.ts';
import type { Chat } from '../../model/chat.ts';
import { ChatError } from '../../model/errors.ts';
import type { Principal } from '../../model/principal.ts';
import type { User } from '../../model/user.ts';
import type { AccountRepository } from '../../repository/account-repository.ts';
import type { AuditRepository } from '../../repository/audit-repository.ts';
import type { ChatRepository } from '../../repository/chat-repository.ts';
import type { UserRepository } from '../../repository/user-repository.ts';

interface Deps {
  users: Pick<UserRepository, 'search'>;
  /** Absent, with the next one, in an auth-server, which has no chats. */
  chats?: Pick<ChatRepository, 'listOfUser'>;
  audit?: Pick<AuditRepository, 'record'>;
  /** Absent: the accounts are of another issuer. */
  accounts: Pick<AccountRepository, 'listSessions' | 'endSession'> | undefined;
  /** Called after sessions have ended. Resolves once this node refuses their tokens. */
  onSessionsEnded(): Promise<void>;
}

/** What administrators see of one user: the newest chats, and the sign-in sessions that have not ended. */
export interface UserDetails {
  chats: Chat[];
  sessions: AuthSession[];
}

/** The most users and chats in one answer. */
const most = 50;

/** The users, for administrators. Every method throws UNAVAILABLE (STORAGE_UNAVAILABLE). */
export class UserDirectory {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Finds users whose id or name begins with the text; names in upper or lower case. */
  search(prefix: string): Promise<User[]> {
    return this.#deps.users.search(prefix, most);
  }

  async details(userId: string): Promise<UserDetails> {
    const { chats, accounts } = this.#deps;
    const [page, sessions] = await Promise.all([chats?.listOfUser(userId, most), accounts?.listSessions(userId) ?? []]);
    return { chats: page?.items ?? [], sessions };
  }

  /**
   * Ends a sign-in session of a user, or all of them, and the streams with their tokens. The audit log has `sessions.revoke`, and that of accounts
   * `session.revoke` for each. Returns how many have ended. Throws FAILED_PRECONDITION (ACCOUNTS_ELSEWHERE).
   */
  async revokeSessions(actor: Principal, userId: string, reason: string, sessionId?: string): Promise<number> {
    const { accounts, audit, onSessionsEnded } = this.#deps;
    if (!accounts) throw new ChatError('ACCOUNTS_ELSEWHERE', 'the accounts are of another issuer');
    const sessions = await accounts.listSessions(userId);
    const chosen = sessions.map(({ id }) => id).filter((id) => sessionId === undefined || id === sessionId);
    const user = { id: actor.userId, name: actor.name };
    // Before the act, so that none is missing.
    await audit?.record(user, 'sessions.revoke', { user_id: userId, session_ids: chosen, reason });
    const ended = await Promise.all(
      chosen.map((id) => accounts.endSession(userId, id, 'REVOKED', { actorId: actor.userId, why: reason })),
    );
    await onSessionsEnded();
    return ended.filter(Boolean).length;
  }
}
