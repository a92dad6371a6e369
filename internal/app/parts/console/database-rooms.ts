import type { Config } from '../../../config/config.ts';
import type { LiveConfig } from '../../../config/live/live-config.ts';
import type { AuditRepository } from '../../../repository/audit-repository.ts';
import { PostgresAuditRepository } from '../../../repository/postgres/audit/postgres-audit-repository.ts';
import { PostgresBackgroundWorkRepository } from '../../../repository/postgres/background/postgres-background-work-repository.ts';
import { PostgresChatRepository } from '../../../repository/postgres/chats/postgres-chat-repository.ts';
import type { Database } from '../../../repository/postgres/connection/database.ts';
import { PostgresSinkReplayRepository } from '../../../repository/postgres/sinks/postgres-sink-replay-repository.ts';
import { PostgresUserRepository } from '../../../repository/postgres/users/postgres-user-repository.ts';
import { UserDirectory } from '../../../service/accounts/user-directory.ts';
import { SinkReplays } from '../../../service/sinks/sink-replays.ts';
import { backgroundRoutes, type OwnRelay } from '../../../transport/admin/console/rooms/background.ts';
import type { Rooms } from '../../../transport/admin/console/rooms/console-routes.ts';
import { nodesRoutes } from '../../../transport/admin/console/rooms/nodes.ts';
import { usersRoutes } from '../../../transport/admin/console/rooms/users.ts';
import { redactText } from '../../redaction/redact.ts';
import type { Identity } from '../open-identity.ts';
import type { Nodes } from '../open-node.ts';
import type { OpenedRelay } from '../open-sinks.ts';
import type { OwnNode } from '../own-node.ts';

interface Deps {
  identity: Pick<Identity, 'accounts' | 'revocations'>;
  database: Database;
  node: OwnNode;
  nodes: Pick<Nodes, 'list'>;
  /** Absent: this process exports nothing. */
  relay: OpenedRelay | undefined;
}

/** The rooms of every process that has the database of the chats. */
export function openDatabaseRooms(
  live: LiveConfig<Config>,
  { identity, database, node, nodes, relay }: Deps,
): { rooms: Pick<Rooms, 'nodes' | 'users' | 'background'>; audit: AuditRepository } {
  const audit = new PostgresAuditRepository(database);
  const users = new PostgresUserRepository(database);
  const limits = live.follow((settings) => settings.limits);
  const { revocations, accounts } = identity;
  const directory = new UserDirectory({
    users,
    chats: new PostgresChatRepository({ database, users }, limits),
    audit,
    accounts,
    onSessionsEnded: () => revocations.refresh('sessions'),
  });
  const rooms = {
    nodes: nodesRoutes(node.nodeId, () => nodes.list()),
    users: usersRoutes(directory),
    background: backgroundRoutes(
      new PostgresBackgroundWorkRepository(database),
      new SinkReplays(new PostgresSinkReplayRepository(database)),
      () => toOwnRelay(relay),
    ),
  };
  return { rooms, audit };
}

/** The message of a failure may name an address with its password. */
function toOwnRelay(opened: OpenedRelay | undefined): OwnRelay | undefined {
  if (!opened) return undefined;
  const { lagSeconds, failure } = opened.relay;
  return { sink: opened.sink, lagSeconds, failure: failure && redactText(failure) };
}
