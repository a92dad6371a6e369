import { expect, test } from 'vitest';
import { builtPage } from '../../../cmd/web/testing/built-page.ts';
import { openPage } from '../../testing/clients/browser.ts';
import { signIn } from '../../testing/clients/person.ts';
import { stuckReader } from '../../testing/clients/stuck-reader.ts';
import { transportTo } from '../../testing/clients/transport-to.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { askConsole, newAdministrator } from '../../testing/services/console-service.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { issueToken } from '../../testing/services/tokens.ts';

test('an administrator sees both processes, closes the stream of a slow reader, and bans a user', async () => {
  const dsn = await createTestDatabase();
  const env = { POSTGRES_DSN: dsn, BUS_URL: 'postgres:', ADMIN: 'true', ADMIN_PORT: '0', OUTBOX_BYTES: '65536' };
  const [near, far] = [await ChildService.start(env), await ChildService.start(env)];
  await builtPage();
  const transport = () => transportTo(near.address);
  const url = /metrics +(\S+)\/metrics/.exec(near.stderr)![1]!;
  const account = await newAdministrator({ dsn, transport });

  const { page, faults } = await openPage();
  page.setDefaultTimeout(60_000);
  const go = (room: string) =>
    page.getByRole('navigation', { name: 'Rooms' }).getByRole('link', { name: room }).click();
  await page.goto(`${url}/admin/`);
  await page.getByLabel('User name').fill(account.username);
  await page.getByLabel('Password').fill(account.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await go('Nodes');
  const rowOf = (text: string) => page.getByRole('row').filter({ hasText: text });
  for (const { pid } of [near, far]) await rowOf(String(pid)).getByText('ready', { exact: true }).waitFor();
  expect(await rowOf(String(near.pid)).innerText()).toContain('this one');

  const { token } = await issueToken(dsn, { userId: 'watcher', roles: ['admin'] });
  const waitingBytes = async () => {
    const answer = await askConsole(url, 'GET', 'streams', token);
    const { streams } = (await answer.json()) as { streams: { waitingBytes: number }[] };
    return streams[0]!.waitingBytes;
  };
  const quick = await (await signIn(transport(), 'quick')).connect();
  const { reader, person: slow } = await stuckReader({ address: near.address, transport }, 'slow', waitingBytes);
  const ended = new Promise((resolve) => reader.call.once('status', resolve));
  await go('Streams');
  await rowOf(slow.name).waitFor();
  await expect.poll(() => page.getByRole('row').nth(1).innerText(), { timeout: 60_000 }).toContain(slow.name);
  await rowOf(slow.name).getByRole('button', { name: 'Close' }).click();
  await page.getByLabel('Reason').fill('it does not read');
  await page.getByRole('button', { name: 'Close it' }).click();
  await rowOf(slow.name).waitFor({ state: 'detached' });
  reader.call.resume();
  await ended;
  quick.close();

  const mallory = await signIn(transportTo(far.address), 'mallory');
  const stream = await mallory.connect();
  await go('Users');
  await page.getByLabel('Beginning of the id or name').fill(mallory.name);
  await page.keyboard.press('Enter');
  await rowOf(mallory.id).getByRole('button', { name: 'Show' }).click();
  await page.getByRole('button', { name: 'Ban', exact: true }).click();
  await page.getByLabel('Reason').fill('spam');
  await page.keyboard.press('Enter');
  // On the other process, which learns of it from the database.
  expect(await stream.ended).toMatchObject({ reason: 'BANNED' });
  await go('Bans');
  await rowOf(mallory.id).getByText('spam').waitFor();
  await go('Audit log');
  await rowOf('user.ban').filter({ hasText: account.username }).waitFor();
  await rowOf('stream.close').filter({ hasText: slow.id }).waitFor();
  expect(faults).toEqual([]);
});
