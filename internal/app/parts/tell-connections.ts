import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { Metrics } from '../../client/metrics/metrics.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';

/** Node publishes each connection that any server of the process accepts. */
const accepted = 'net.server.socket';

/** Adds how many connections clients have open, and returns a function that counts them. A server that is not listening has no port. */
export function tellConnections(
  metrics: Metrics,
  ports: Readonly<Record<'grpc' | 'http', number | undefined>>,
  resources: ResourceStack,
): () => number {
  const open = new Map<number, number>(Object.values(ports).map((port) => [port ?? 0, 0]));
  const count = (port: number, change: number) => open.set(port, (open.get(port) ?? 0) + change);
  const onAccepted = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    const { localPort: port } = socket;
    if (port === undefined || !open.has(port)) return;
    count(port, 1);
    socket.once('close', () => count(port, -1));
  };
  subscribe(accepted, onAccepted);
  resources.add('the count of connections', async () => void unsubscribe(accepted, onAccepted));
  metrics.gauge({ name: 'chat_connections', help: 'Open connections of clients.', labels: ['server'] }, () =>
    Object.entries(ports).flatMap(([server, port]) =>
      port === undefined ? [] : [{ labels: { server }, value: open.get(port) ?? 0 }],
    ),
  );
  return () => [...open.values()].reduce((sum, count) => sum + count, 0);
}
