// Slow: a real Prometheus scrapes a service whose database answers late.
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { builtPage } from '../../../cmd/web/testing/built-page.ts';
import { freePort } from '../../embedded/server/free-port.ts';
import { startPrometheus } from '../../servers/monitoring.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { openPage } from '../../testing/clients/browser.ts';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { startTcpProxy, type TcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { type ConsoleService, startConsole } from '../../testing/services/console-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';

let proxy: TcpProxy;
let prometheus: ServerProcess;
let admin: ConsoleService;
beforeAll(async () => {
  proxy = await startTcpProxy(await createTestDatabase());
  const port = await freePort();
  prometheus = await startPrometheus({ chatPorts: [port], alertmanagerPort: undefined, everySeconds: 1 });
  const env = { ADMIN_PORT: `${port}`, ADMIN_PROMETHEUS_URL: `http://127.0.0.1:${prometheus.port}` };
  [admin] = await Promise.all([startConsole(env, proxy.dsn), builtPage()]);
});
afterAll(async () => {
  proxy.restore();
  await admin.service.stop();
  await prometheus.stop();
  await proxy.close();
});

/** By how much each answer of PostgreSQL is late, in milliseconds. */
const delayMs = 400;

test('two clicks lead from late deliveries to a database that answers everything late', async () => {
  const alice = await signIn(admin.service.transport(), 'alice');
  const group = await newGroup(alice);
  const reader = await alice.connect();
  await reader.ask(commands.subscribe(group.id));
  await reader.nextOf('caughtUp');
  let ended = false;
  const traffic = (async () => {
    for (let count = 0; !ended; count += 1) await say(alice, group, `text ${count}`);
  })();
  onTestFinished(async () => {
    ended = true;
    proxy.restore();
    await traffic;
    reader.close();
  });

  const { page, faults } = await openPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`${admin.url}/admin/`);
  await page.getByText('Use an access token instead').click();
  await page.getByLabel('Access token').fill(admin.token);
  await page.getByRole('button', { name: 'Use the token' }).click();
  const panel = (title: string) => page.locator('.panel').filter({ hasText: title }).first();
  /** The newest 99th percentile that the panel shows, in seconds; 0 while it shows none. */
  const p99 = async (title: string) => {
    const [, number = '0', unit] = /p99[^\d–]*([\d.,]+) (ms|s)/.exec(await panel(title).innerText()) ?? [];
    return Number(number.replace(',', '')) / (unit === 'ms' ? 1_000 : 1);
  };
  const shows = (title: string, atLeast: number) =>
    expect.poll(() => p99(title), { timeout: 120_000 }).toBeGreaterThanOrEqual(atLeast);
  // A quantile is estimated within its bucket: it may be less than what was observed.
  const late = delayMs / 2_000;

  await panel('Time to delivery').waitFor();
  proxy.slow(delayMs);
  await shows('Time to delivery', late);
  await panel('Time to delivery').getByRole('link', { name: 'Chat: the way of a message' }).click();

  // In the order in which a message passes: the commits come before the bus and the delivery.
  await shows('Time of commits', late);
  expect(await panel('Losses and repairs').innerText()).toMatch(/losses 0\/s/);
  await panel('Time of commits').getByRole('link', { name: 'Chat: database' }).click();

  // Not a lock, and not the disk of the log: PostgreSQL answers everything late.
  await shows('Time of an empty query', late);
  await shows('Time of commits', late);
  expect(faults).toEqual([]);
});
