import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../embedded/server/free-port.ts';
import { Traffic } from '../../testing/clients/traffic.ts';
import { ChildService, databasePid, newDataDir } from '../../testing/services/child-service.ts';

// Slow: the service and its database are killed under traffic and start again.
test('a service that is killed under load and restarted loses and doubles nothing, and its clients reconnect', async () => {
  const env = { DATA_DIR: await newDataDir(), GRPC_PORT: String(await freePort()), LOG_LEVEL: 'warn' };
  let service = await ChildService.start(env);
  const traffic = await Traffic.start(service.address, 4);
  onTestFinished(() => traffic.close());

  for (let i = 0; i < 2; i += 1) {
    await traffic.flow(300);
    service.signal('SIGKILL');
    await service.exited;
    service = await ChildService.start(env);
  }
  await traffic.flow(300);
  await traffic.stop();

  await traffic.expectNothingLost();
  traffic.expectOwnOrder();
});

test('a service that is killed together with its database loses nothing', async () => {
  const env = { DATA_DIR: await newDataDir(), GRPC_PORT: String(await freePort()), LOG_LEVEL: 'warn' };
  const service = await ChildService.start(env);
  const traffic = await Traffic.start(service.address, 3);
  onTestFinished(() => traffic.close());
  await traffic.flow(300);

  process.kill(databasePid(env.DATA_DIR)!, 'SIGKILL');
  service.signal('SIGKILL');
  await service.exited;
  expect((await ChildService.start(env)).address).toBe(service.address);

  await traffic.flow(300);
  await traffic.stop();
  await traffic.expectNothingLost();
});
