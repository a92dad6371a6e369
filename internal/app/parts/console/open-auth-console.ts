import type { AdminConfig } from '../../../config/groups/admin-config.ts';
import type { LiveConfig } from '../../../config/live/live-config.ts';
import { authenticateAdmins } from '../../../transport/admin/console/authenticate.ts';
import { consoleRoutes } from '../../../transport/admin/console/rooms/console-routes.ts';
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
  identity: Pick<Identity, 'verifier' | 'revocations'>;
}

/** Opens the console of an auth-server, which has no chats: its own state and settings. */
export function openAuthConsole(
  live: Pick<LiveConfig<{ admin: AdminConfig }>, 'env' | 'current'>,
  deps: Deps,
): Console {
  const { caller, services, identity } = deps;
  const operations = consoleOperations(services, caller);
  return {
    page: consolePage(),
    authenticate: authenticateAdmins(identity.verifier, identity.revocations),
    routes: consoleRoutes({ program: 'an auth-server', rooms: openOwnRooms(live, deps), operations, workers: 1 }),
  };
}
