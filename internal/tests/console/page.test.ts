import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtPage } from '../../../cmd/web/testing/built-page.ts';
import { faultsOf } from '../../testing/clients/axe.ts';
import { openPage, type TestPage } from '../../testing/clients/browser.ts';
import { type ConsoleService, newAdministrator, startConsole } from '../../testing/services/console-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

let admin: ConsoleService;
beforeAll(async () => {
  [admin] = await Promise.all([startConsole(), builtPage()]);
});
afterAll(() => admin.service.stop());

/** Opens the page and pastes an access token. */
async function openConsole(token = admin.token, options = {}): Promise<TestPage> {
  const opened = await openPage({ locale: 'en-GB', ...options });
  const { page } = opened;
  page.setDefaultTimeout(60_000);
  await page.goto(`${admin.url}/admin`);
  await page.getByText('Use an access token instead').click();
  await page.getByLabel('Access token').fill(token);
  await page.getByRole('button', { name: 'Use the token' }).click();
  return opened;
}

test('an administrator signs in by name and password, sees the overview, and stays signed in until the tab is closed', async () => {
  const account = await newAdministrator(admin.service);
  const { page, faults, requests } = await openPage();
  await page.goto(`${admin.url}/admin/`);
  await page.getByLabel('User name').fill(account.username);
  await page.getByLabel('Password').fill(account.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('ready', { exact: true }).waitFor();
  await page.locator('.plot canvas').first().waitFor();
  await page.reload();
  await page.getByText('ready', { exact: true }).waitFor();
  expect(await page.context().cookies()).toEqual([]);
  expect(await page.evaluate(() => localStorage.length)).toBe(0);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('User name').waitFor();
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  expect(faults).toEqual([]);
  expect(requests.filter((url) => !url.startsWith(`${admin.url}/`))).toEqual([]);
});

test('a user without the role is told so and sees no room', async () => {
  const { token } = await issueToken(admin.service.dsn, { userId: 'alice' });
  const { page } = await openConsole(token);
  await page.getByText('your account does not have the role admin').waitFor();
  expect(await page.getByRole('navigation').count()).toBe(0);
});

test.each(['light', 'dark'] as const)('every room passes the checks of axe in %s colours', async (colorScheme) => {
  const { page, faults } = await openConsole(admin.token, { colorScheme });
  const links = page.getByRole('navigation', { name: 'Rooms' }).getByRole('link');
  await links.first().waitFor();
  for (const title of await links.allInnerTexts()) {
    await links.filter({ hasText: title }).click();
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
    await page.waitForLoadState('networkidle');
    expect(await faultsOf(page), title).toEqual([]);
  }
  expect(faults).toEqual([]);
});
