import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from './server-process.ts';

/** The ports of a node. */
export interface NodePorts {
  grpc: number;
  http: number;
}

const config = readFileSync(new URL('../../deploy/haproxy.cfg', import.meta.url), 'utf8');

/** A real HAProxy with the project's configuration, in front of nodes on this machine: `http://127.0.0.1:<port>`, and gRPC at `grpcPort`. */
export function startHaproxy(nodes: readonly NodePorts[], grpcPort: number): Promise<ServerProcess> {
  return ServerProcess.start({
    program: 'haproxy',
    files: (httpPort) => ({ 'haproxy.cfg': localConfig(nodes, { http: httpPort, grpc: grpcPort }) }),
    args: (_port, folder) => ['-db', '-f', join(folder, 'haproxy.cfg')],
  });
}

/** deploy/haproxy.cfg without Docker's names: each template of servers becomes one line for each node. */
function localConfig(nodes: readonly NodePorts[], own: NodePorts): string {
  const servers = (template: string, port: 'grpc' | 'http') =>
    nodes.map(
      (node, i) => `  server node${i + 1} 127.0.0.1:${node[port]}${template.replace('port 8080', `port ${node.http}`)}`,
    );
  return (
    config
      // Each connection takes two file descriptors, of which a shell allows few.
      .replace(/maxconn \d+/, 'maxconn 400')
      .replace(/^resolvers docker\n(?:[ \t].*\n)*/m, '')
      .replace(/ resolvers docker.*$/m, '')
      .replace('bind :8080', `bind 127.0.0.1:${own.http}`)
      .replace('bind :50051', `bind 127.0.0.1:${own.grpc}`)
      .replace(/^ *server-template node \d+ chat:8080(.*)$/m, (_, rest: string) => servers(rest, 'http').join('\n'))
      .replace(/^ *server-template node \d+ chat:50051(.*)$/m, (_, rest: string) => servers(rest, 'grpc').join('\n'))
  );
}
