import type { Logger } from 'pino';
import type { Database } from '../../repository/postgres/connection/database.ts';
import { PostgresNodeRepository } from '../../repository/postgres/nodes/postgres-node-repository.ts';
import { NodeBeat } from '../../service/nodes/node-beat.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';
import type { OwnNode } from './own-node.ts';

interface Deps {
  database: Database;
  node: OwnNode;
  /** What changes while the process runs. */
  state(): { sessions: number; connections: number; ready: boolean };
  log: Logger;
  resources: ResourceStack;
}

/** A process that is killed is shown for this long. */
const beats = { everyMs: 5_000, expireAfterMs: 16_000 };

/** Tells the consoles of all processes that this one lives, until the resources are closed. */
export function openNode({ database, node, state, log, resources }: Deps): NodeBeat {
  const { nodeId: id, ...rest } = node;
  const nodes = new PostgresNodeRepository(database);
  const beat = new NodeBeat({ nodes, read: () => ({ id, ...rest, ...state() }), log }, beats);
  resources.add('the list of nodes', () => beat.stop());
  return beat;
}
