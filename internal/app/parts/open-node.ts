import type { Logger } from 'pino';
import type { SeenNode } from '../../model/node.ts';
import type { Database } from '../../repository/postgres/connection/database.ts';
import { PostgresNodeRepository } from '../../repository/postgres/nodes/postgres-node-repository.ts';
import { NodeBeat, type NodeTeller } from '../../service/nodes/node-beat.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';
import type { OwnNode } from './own-node.ts';

/** The processes that use one database. */
export interface Nodes extends NodeTeller {
  list(): Promise<SeenNode[]>;
}

interface Deps {
  nodes: NodeTeller;
  node: OwnNode;
  /** What changes while the process runs. */
  state(): { sessions: number; connections: number; ready: boolean };
  log: Logger;
  resources: ResourceStack;
}

const everyMs = 5_000;
/** A process that is killed is shown for this long. */
const expireAfterMs = 16_000;

export function openNodes(database: Database): Nodes {
  const nodes = new PostgresNodeRepository(database);
  return {
    tell: (node) => nodes.tell(node, expireAfterMs),
    remove: (id) => nodes.remove(id),
    list: () => nodes.list(expireAfterMs),
  };
}

/** Tells the consoles of all processes that this one lives, until the resources are closed. */
export function beginBeat({ nodes, node, state, log, resources }: Deps): void {
  const { nodeId: id, ...rest } = node;
  const beat = new NodeBeat({ nodes, read: () => ({ id, ...rest, ...state() }), log }, everyMs);
  resources.add('the list of nodes', () => beat.stop());
}
