import { ServerProcess } from './server-process.ts';

/** A real NATS server with JetStream; `nats://127.0.0.1:<port>`. */
export function startNats(args: readonly string[] = []): Promise<ServerProcess> {
  return ServerProcess.start({
    program: 'nats-server',
    args: (port, folder) => ['--addr', '127.0.0.1', '--port', `${port}`, '--jetstream', '--store_dir', folder, ...args],
  });
}

/** A real Redis; `redis://127.0.0.1:<port>`. */
export function startRedis(args: readonly string[] = []): Promise<ServerProcess> {
  return ServerProcess.start({
    program: 'redis-server',
    args: (port, folder) => ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', folder, '--save', '', ...args],
  });
}
