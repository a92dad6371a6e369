import { fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CrowdReport, CrowdTask } from './rolling-clients.ts';
import { type ServiceProcess, startService } from './service-process.ts';

/** Stops and restarts each of three nodes in turn while clients send messages. */
export async function measureRollingRestart(
  dsn: string,
  { clients, bus, folder }: { clients: number; bus: string; folder: string },
): Promise<CrowdReport> {
  const env = { BUS_URL: bus, RECONNECT_SPREAD_MS: '3000' };
  const nodes: ServiceProcess[] = [];
  try {
    for (let i = 0; i < 3; i += 1) nodes.push(await startService(dsn, env));
    const file = join(folder, 'rolling.json');
    await writeFile(file, JSON.stringify({ urls: nodes.map(({ url }) => url), clients } satisfies CrowdTask));
    const child = fork(new URL('rolling-clients.ts', import.meta.url), [file]);
    const next = <T>() =>
      new Promise<T>((resolve, reject) => {
        child.once('message', (message) => resolve(message as T));
        child.once('exit', (code) => reject(new Error(`the clients ended with ${code}`)));
      });
    await next<'online'>();
    for (const [i, { address, url }] of nodes.entries()) {
      const ports = { GRPC_PORT: portOf(address), HTTP_PORT: portOf(url) };
      await nodes[i]!.stop();
      nodes[i] = await startService(dsn, { ...env, ...ports });
      await sleep(2_000);
    }
    const report = next<CrowdReport>();
    child.send('finish');
    return await report;
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(':') + 1);
}
