import type { Logger } from 'pino';
import { AuthServiceDefinition } from '../../pkg/api/auth/v1/auth.ts';
import { ChatServiceDefinition } from '../../pkg/api/chat/v1/chat.ts';
import type { GatewayConfig } from '../config/gateway-config.ts';
import type { LiveConfig } from '../config/live/live-config.ts';
import { GrpcCaller } from '../transport/shared/calls/grpc-caller.ts';
import { UpstreamNodes } from '../transport/shared/calls/upstream-nodes.ts';
import { GrpcStreams } from '../transport/shared/streams/grpc-streams.ts';
import { readChannelCredentials } from '../transport/tls/channel-credentials.ts';
import { once } from './lifecycle/once.ts';
import { ResourceStack } from './lifecycle/resource-stack.ts';
import { openGatewayConsole } from './parts/console/open-gateway-console.ts';
import { openAdmin, tellReady } from './parts/open-admin.ts';
import { openCertificates } from './parts/open-certificates.ts';
import { openGateway } from './parts/open-gateway.ts';
import { openMetrics } from './parts/open-metrics.ts';
import { beginBeat } from './parts/open-node.ts';
import { openTracing } from './parts/open-tracing.ts';
import { ownNode } from './parts/own-node.ts';
import { tellConnections } from './parts/tell-connections.ts';

/** The size of answers that gRPC clients accept by default. Answers may be larger than requests. */
const minMessageBytes = 4 * 1_048_576;

/**
 * Starts the HTTP side in front of chat services that run in other processes. The services may start later. Throws an error with a clear message if
 * it cannot start; nothing is left running then.
 */
export async function startGateway(
  live: LiveConfig<GatewayConfig>,
  log: Logger,
): Promise<{ httpPort: number; adminPort: number | undefined; stop(): Promise<void> }> {
  const config = live.current;
  const resources = new ResourceStack(log);
  try {
    const { addresses, tls } = config.upstream;
    const tracing = await openTracing(live, 'chat-gateway', { log, resources });
    const caller = new GrpcCaller({
      addresses,
      credentials: await readChannelCredentials(tls),
      serverName: tls?.name,
      maxMessageBytes: Math.max(config.limits.maxFrameBytes, minMessageBytes),
      log,
    });
    resources.add('the connections to the services', () => caller.close());
    const certificates = await openCertificates(config.tls, { live, log, resources });
    const services = [ChatServiceDefinition.fullName, AuthServiceDefinition.fullName];
    const { limits, times } = config;
    const { metrics, expose } = openMetrics(config.admin);
    const httpPort = await openGateway(
      {
        services,
        caller,
        streams: new GrpcStreams(caller),
        certificates,
        tracing: config.tracing.url === undefined ? undefined : tracing,
        log,
        metrics,
        resources,
      },
      {
        host: config.listen.host,
        http: config.http,
        maxBodyBytes: limits.maxFrameBytes,
        maxCommandsPerFrame: limits.maxCommandsPerFrame,
        keepaliveMs: times.keepaliveMs,
        graceMs: times.drainTimeoutMs,
      },
    );
    const countConnections = tellConnections(metrics, { grpc: undefined, http: httpPort }, resources);
    const notReady = () => (caller.ready ? [] : ['no service can be reached']);
    tellReady(metrics, notReady);
    const node = ownNode(['gateway']);
    // Streams are those of the services behind it.
    const state = () => ({ sessions: 0, connections: countConnections(), ready: caller.ready });
    beginBeat({ nodes: new UpstreamNodes(caller), node, state, log, resources });
    const own = { expose, notReady, node, log, resources };
    const console = config.admin.enabled ? openGatewayConsole(live, { caller, services, ...own }) : undefined;
    const { port: adminPort } = await openAdmin(live, { expose, notReady, console }, { log, resources });
    return { httpPort, adminPort, stop: once(() => resources.close()) };
  } catch (error) {
    await resources.close();
    throw error;
  }
}
