import type { SeenNode } from '../../../../model/node.ts';
import type { Route } from '../../route.ts';
import { withRefusals } from '../to-refusal.ts';

/** The processes that use the same database and live. */
export function nodesRoutes(own: string, listNodes: () => Promise<SeenNode[]>): Route[] {
  return [
    {
      method: 'GET',
      path: '/admin/api/nodes',
      access: 'admin',
      async handle(_request, response) {
        const nodes = await withRefusals(listNodes);
        response.json({ nodes: nodes.map((node) => ({ ...node, own: node.id === own })) });
      },
    },
  ];
}
