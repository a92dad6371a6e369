import type { AdminConfig } from '../../../config/groups/admin-config.ts';
import type { LiveConfig } from '../../../config/live/live-config.ts';
import { UserDirectory } from '../../../service/accounts/user-directory.ts';
import { authenticateAdmins } from '../../../transport/admin/console/authenticate.ts';
import { authAuditRoutes } from '../../../transport/admin/console/rooms/audit.ts';
import { consoleRoutes } from '../../../transport/admin/console/rooms/console-routes.ts';
import { usersRoutes } from '../../../transport/admin/console/rooms/users.ts';
import type { Console } from '../../../transport/admin/console-parts.ts';
import type { UnaryCaller } from '../../../transport/shared/calls/unary-caller.ts';
import type { Identity } from '../open-identity.ts';
import { consoleOperations, consolePage } from './console.ts';
import { type OwnProcess, openOwnRooms } from './own-rooms.ts';

interface Deps extends OwnProcess {
  /** Calls the operations of accounts in this process. */
  caller: UnaryCaller;
  /** Full names of the services that it serves. */
  services: readonly string[];
  identity: Pick<Identity, 'verifier' | 'revocations' | 'accounts'>;
}

/** Opens the console of an auth-server, which has no chats: its own state and settings, the sessions of its accounts, and their audit log. */
export function openAuthConsole(
  live: Pick<LiveConfig<{ admin: AdminConfig }>, 'env' | 'current'>,
  deps: Deps,
): Console {
  const { caller, services, identity } = deps;
  const operations = consoleOperations(services, caller);
  const { verifier, revocations, accounts } = identity;
  const directory = new UserDirectory({
    // By the whole name: an auth-server has no list of users beside its accounts.
    users: {
      search: async (name) => {
        const found = await accounts?.find(name.toLowerCase());
        return found ? [{ id: found.userId, name: found.name }] : [];
      },
    },
    accounts,
    onSessionsEnded: () => revocations.refresh('sessions'),
  });
  const rooms = {
    ...openOwnRooms(live, deps),
    users: usersRoutes(directory),
    audit: authAuditRoutes(operations),
  };
  return {
    page: consolePage(),
    authenticate: authenticateAdmins(verifier, revocations),
    routes: consoleRoutes({ program: 'an auth-server', rooms, operations, workers: 1 }),
  };
}
