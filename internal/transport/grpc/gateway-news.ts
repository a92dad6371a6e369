import type { ServerMiddleware } from 'nice-grpc-common';
import { fromGatewayNews, gatewayHeader } from '../../converter/node.ts';
import type { NodeTeller } from '../../service/nodes/node-beat.ts';
import { isTrustedVia } from '../shared/calls/client-address.ts';

/**
 * Records gateways, which tell by the metadata of their health checks that they live: they have no database of their own. Only those in `trustedProxies`
 * are believed; from others the metadata is ignored.
 */
export function recordGateways(nodes: NodeTeller, trustedProxies: readonly string[]): ServerMiddleware {
  const isTrusted = isTrustedVia(trustedProxies);
  return async function* record(call, context) {
    const told = context.metadata.get(gatewayHeader);
    const news = told !== undefined && isTrusted(context.peer) ? fromGatewayNews(told) : undefined;
    if (news?.kind === 'lives') await nodes.tell(news.node);
    if (news?.kind === 'ends') await nodes.remove(news.id);
    return yield* call.next(call.request, context);
  };
}
