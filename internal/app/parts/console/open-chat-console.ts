import cluster from 'node:cluster';
import type { Config } from '../../../config/config.ts';
import type { LiveConfig } from '../../../config/live/live-config.ts';
import type { Database } from '../../../repository/postgres/connection/database.ts';
import { PostgresMessageRepository } from '../../../repository/postgres/messages/postgres-message-repository.ts';
import { MessageLooks } from '../../../service/chats/message-looks.ts';
import { BusyChats } from '../../../service/delivery/busy-chats.ts';
import type { Hub } from '../../../service/delivery/hub.ts';
import type { SessionRegistry } from '../../../service/sessions/session-registry.ts';
import { StreamDirectory } from '../../../service/sessions/stream-directory.ts';
import { authenticateAdmins } from '../../../transport/admin/console/authenticate.ts';
import { auditRoutes } from '../../../transport/admin/console/rooms/audit.ts';
import { bansRoutes } from '../../../transport/admin/console/rooms/bans.ts';
import { chatsRoutes } from '../../../transport/admin/console/rooms/chats.ts';
import { consoleRoutes } from '../../../transport/admin/console/rooms/console-routes.ts';
import { deletionRoutes, looksRoutes } from '../../../transport/admin/console/rooms/messages.ts';
import { streamsRoutes } from '../../../transport/admin/console/rooms/streams.ts';
import type { Console } from '../../../transport/admin/console-parts.ts';
import type { UnaryCaller } from '../../../transport/shared/calls/unary-caller.ts';
import type { Identity } from '../open-identity.ts';
import type { Nodes } from '../open-node.ts';
import type { OpenedRelay } from '../open-sinks.ts';
import { consoleOperations, consolePage } from './console.ts';
import { openDatabaseRooms } from './database-rooms.ts';
import { type OwnProcess, openOwnRooms } from './own-rooms.ts';

interface Deps extends OwnProcess {
  /** Calls the contract's operations in this process. */
  caller: UnaryCaller;
  /** Full names of the services that it serves. */
  services: readonly string[];
  identity: Identity;
  database: Database;
  sessions: SessionRegistry;
  hub: Hub;
  nodes: Pick<Nodes, 'list'>;
  /** Absent: this process exports nothing. */
  relay: OpenedRelay | undefined;
}

/** The rate of a chat is that of its last minute. */
const busy = { everyMs: 10_000, samples: 7 };

/** Opens the console of the chat service, which has every room. Each of them is a file in `rooms`: of the API, of the page and of `cmd/admin`. */
export function openChatConsole(live: LiveConfig<Config>, deps: Deps): Console {
  const { caller, services, identity, sessions, hub, resources } = deps;
  const busyChats = new BusyChats(hub, busy);
  resources.add("the console's samples of chats", async () => busyChats.stop());
  const operations = consoleOperations(services, caller);
  const ofDatabase = openDatabaseRooms(live, deps);
  const messages = new PostgresMessageRepository(deps.database);
  const looks = new MessageLooks({ messages, audit: ofDatabase.audit }, () => live.current.admin.showMessages);
  const rooms = {
    ...openOwnRooms(live, deps),
    ...ofDatabase.rooms,
    streams: streamsRoutes(new StreamDirectory({ sessions, audit: ofDatabase.audit })),
    chats: [
      ...chatsRoutes(operations, (most) => busyChats.list(most)),
      ...deletionRoutes(operations),
      ...looksRoutes(looks),
    ],
    bans: bansRoutes(operations),
    audit: auditRoutes(operations),
  };
  const workers = cluster.isWorker ? live.current.workers : 1;
  return {
    page: consolePage(),
    authenticate: authenticateAdmins(identity.verifier, identity.revocations),
    routes: consoleRoutes({ program: 'the chat service', rooms, operations, workers }),
  };
}
