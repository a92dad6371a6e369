import { type GatewayNews, gatewayHeader, toGatewayNews } from '../../../converter/node.ts';
import type { Node } from '../../../model/node.ts';
import type { NodeTeller } from '../../../service/nodes/node-beat.ts';
import type { UnaryCaller } from './unary-caller.ts';

/** A gateway has waited for long enough after this time, in milliseconds: it tells again soon. */
const timeoutMs = 4_000;

/** Tells one of the services behind a gateway that the gateway lives, by the metadata of a health check. Services of older releases ignore it. */
export class UpstreamNodes implements NodeTeller {
  readonly #caller: UnaryCaller;

  constructor(caller: UnaryCaller) {
    this.#caller = caller;
  }

  tell(node: Node): Promise<void> {
    return this.#send({ kind: 'lives', node });
  }

  remove(id: string): Promise<void> {
    return this.#send({ kind: 'ends', id });
  }

  async #send(news: GatewayNews): Promise<void> {
    const metadata = new Map([[gatewayHeader, toGatewayNews(news)]]);
    const signal = AbortSignal.timeout(timeoutMs);
    // An empty request asks for the server as a whole.
    const check = '/grpc.health.v1.Health/Check';
    await this.#caller.call(check, new Uint8Array(), { metadata, peer: '', signal, timeoutMs });
  }
}
