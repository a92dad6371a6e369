import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { expectExported, readExported } from '../../testing/clients/exported-events.ts';
import { newGroup, sayAll, signIn } from '../../testing/clients/person.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let nats: ServerProcess;
let env: Record<string, string>;
beforeEach(async () => {
  nats = await startNats();
  env = { POSTGRES_DSN: await createTestDatabase(), NATS_URL: url(), EXPORT: 'jetstream' };
});
afterEach(() => nats.stop());

const url = () => `nats://127.0.0.1:${nats.port}`;

async function start(more: Record<string, string> = {}, log = new LogLines('warn')): Promise<TestService> {
  const service = await startTestService({ ...env, ...more }, { log: log.logger });
  onTestFinished(() => service.stop());
  return service;
}

// Slow: the next relay waits for the lease of the killed one to expire.
test('when a relay is killed, another one continues and omits nothing', async () => {
  const writer = await start({ EXPORT: 'none' });
  const alice = await signIn(writer.transport(), 'alice');
  const chats = [await newGroup(alice), await newGroup(alice), await newGroup(alice)];
  let sent = 1;
  for (let round = 0; round < 3; round += 1) {
    const relay = await ChildService.start({ ...env, GATEWAY: 'false' });
    const flow = sayAll(alice, chats, sent + 1, sent + 100);
    sent += 100;
    await eventually(async () => expect((await readExported(url())).length).toBeGreaterThan(3 * (sent - 70)));
    relay.signal('SIGKILL');
    await relay.exited;
    await flow;
  }
  await start();
  await expectExported(url(), chats, sent);
});
