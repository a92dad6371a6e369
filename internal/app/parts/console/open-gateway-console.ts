import type { AdminConfig } from '../../../config/groups/admin-config.ts';
import type { LiveConfig } from '../../../config/live/live-config.ts';
import { authenticateByUpstream } from '../../../transport/admin/console/authenticate.ts';
import { auditRoutes } from '../../../transport/admin/console/rooms/audit.ts';
import { bansRoutes } from '../../../transport/admin/console/rooms/bans.ts';
import { chatsRoutes } from '../../../transport/admin/console/rooms/chats.ts';
import { consoleRoutes } from '../../../transport/admin/console/rooms/console-routes.ts';
import { deletionRoutes } from '../../../transport/admin/console/rooms/messages.ts';
import type { Console } from '../../../transport/admin/console-parts.ts';
import type { UnaryCaller } from '../../../transport/shared/calls/unary-caller.ts';
import { consoleOperations, consolePage } from './console.ts';
import { type OwnProcess, openOwnRooms } from './own-rooms.ts';

interface Deps extends OwnProcess {
  /** Calls the services behind the gateway. */
  caller: UnaryCaller;
  /** Full names of the services. */
  services: readonly string[];
}

/** Opens the console of a gateway by itself: its own state and settings, and whatever the services behind it answer by the contract. */
export function openGatewayConsole(
  live: Pick<LiveConfig<{ admin: AdminConfig }>, 'env' | 'current'>,
  deps: Deps,
): Console {
  const operations = consoleOperations(deps.services, deps.caller);
  const rooms = {
    ...openOwnRooms(live, deps),
    chats: [...chatsRoutes(operations), ...deletionRoutes(operations)],
    bans: bansRoutes(operations),
    audit: auditRoutes(operations),
  };
  return {
    page: consolePage(),
    authenticate: authenticateByUpstream(operations),
    routes: consoleRoutes({ program: 'a gateway by itself', rooms, operations, workers: 1 }),
  };
}
