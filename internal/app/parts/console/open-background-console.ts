import { AuthServiceDefinition } from '../../../../pkg/api/auth/v1/auth.ts';
import type { Config } from '../../../config/config.ts';
import type { LiveConfig } from '../../../config/live/live-config.ts';
import { auth } from '../../../interceptor/auth.ts';
import { compose } from '../../../interceptor/call.ts';
import { errors } from '../../../interceptor/errors.ts';
import { logging } from '../../../interceptor/logging.ts';
import { rateLimit } from '../../../interceptor/rate-limit.ts';
import { loadRules, validation } from '../../../interceptor/validation.ts';
import { MemoryRateLimiter } from '../../../ratelimiter/memory-rate-limiter.ts';
import { PostgresBanRepository } from '../../../repository/postgres/bans/postgres-ban-repository.ts';
import type { Database } from '../../../repository/postgres/connection/database.ts';
import { authenticateAdmins } from '../../../transport/admin/console/authenticate.ts';
import { consoleRoutes } from '../../../transport/admin/console/rooms/console-routes.ts';
import type { Console } from '../../../transport/admin/console-parts.ts';
import { LocalCaller } from '../../../transport/shared/calls/local-caller.ts';
import { accountOperations } from '../../../transport/shared/operations/account-operations.ts';
import { served } from '../../../transport/shared/operations/served-service.ts';
import { unaryHandlers } from '../../../transport/shared/operations/unary-handlers.ts';
import { type Identity, openIdentity } from '../open-identity.ts';
import type { Nodes } from '../open-node.ts';
import { toRates } from '../open-rate-limiter.ts';
import type { OpenedRelay } from '../open-sinks.ts';
import { consoleOperations, consolePage } from './console.ts';
import { openDatabaseRooms } from './database-rooms.ts';
import { type OwnProcess, openOwnRooms } from './own-rooms.ts';

interface Deps extends OwnProcess {
  database: Database;
  nodes: Pick<Nodes, 'list'>;
  /** Absent: this process exports nothing. */
  relay: OpenedRelay | undefined;
}

/**
 * Opens the console of a writer or relay by itself, which has the database but no chats. Returns undefined, with a line in the log, if it cannot find out
 * whose tokens are valid: writing and exporting must not depend on that.
 */
export async function openBackgroundConsole(live: LiveConfig<Config>, deps: Deps): Promise<Console | undefined> {
  const { log } = deps;
  const limiter = new MemoryRateLimiter(toRates(live.current));
  let identity: Identity;
  try {
    identity = await openIdentity(live, { ...deps, bans: new PostgresBanRepository(deps.database), limiter });
  } catch (err) {
    log.warn({ err }, 'this process has no console: it cannot find out whose tokens are valid');
    return undefined;
  }
  const limits = live.follow((settings) => settings.limits);
  const { verifier, revocations, authService } = identity;
  const services = [served(AuthServiceDefinition, unaryHandlers(accountOperations, authService, limits), {})];
  const interceptor = compose([
    logging(log),
    errors(log),
    auth(verifier, revocations),
    validation(loadRules()),
    rateLimit(limiter),
  ]);
  const caller = new LocalCaller(services, interceptor, { isReady: () => true });
  const rooms = { ...openOwnRooms(live, deps), ...openDatabaseRooms(live, { ...deps, identity }).rooms };
  const operations = consoleOperations([AuthServiceDefinition.fullName], caller);
  const program = `the ${[...live.current.roles].join(' and ')} by itself`;
  return {
    page: consolePage(),
    authenticate: authenticateAdmins(verifier, revocations),
    routes: consoleRoutes({ program, rooms, operations, workers: 1 }),
  };
}
