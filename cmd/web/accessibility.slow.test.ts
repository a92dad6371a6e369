import { readFileSync } from 'node:fs';
import type { AxeResults } from 'axe-core';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { uniqueName } from '../../internal/testing/clients/person.ts';
import { startTestService, type TestService } from '../../internal/testing/services/test-service.ts';
import { builtPage } from './testing/built-page.ts';
import { ChatPage } from './testing/chat-page.ts';

// Slow: axe-core looks at eleven views of the page in each of four looks.
const axe = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

const wide = { width: 1_280, height: 800 };
const narrow = { width: 390, height: 844 };
const looks: BrowserContextOptions[] = [wide, narrow].flatMap((viewport) => [
  { viewport, colorScheme: 'light' as const },
  { viewport, colorScheme: 'dark' as const },
]);

let service: TestService;
beforeAll(async () => {
  [service] = await Promise.all([startTestService(), builtPage()]);
});
afterAll(() => service?.stop());

/** What axe-core finds serious or worse, and whether the page is wider than the screen. */
async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(() => (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run());
  const grave = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const faults = grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  const isTooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  return isTooWide ? [...faults, 'there is something to scroll sideways'] : faults;
}

test.for(looks)('everybody can read and use the page: %o', async (look) => {
  const options = { ...look, bypassCSP: true };
  const anna = await ChatPage.open(service.url, options);
  const { page } = anna;
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole('tab', { name: 'Register' }).click();
  await page.getByLabel('User name').fill(uniqueName('anna'));
  await page.getByLabel('Password').fill('12345678');
  await page.getByRole('button', { name: 'Make an account' }).click();
  await page.locator('.problem').filter({ hasText: /./ }).waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.getByLabel('Password').fill(crypto.randomUUID());
  await page.getByRole('button', { name: 'Make an account' }).click();
  await page.getByRole('navigation', { name: 'Chats' }).waitFor();
  expect(await faultsOf(page)).toEqual([]);

  const ben = await service.client(uniqueName('ben'));
  const [room, other] = [await ben.joinRoom(uniqueName('room')), await ben.joinRoom(uniqueName('other'))];
  await page.getByRole('button', { name: 'Start a chat' }).first().click();
  for (const tab of ['Person', 'Group', 'Rooms']) {
    await page.getByRole('tab', { name: tab }).click();
    await page.getByRole('dialog').locator('.choice').first().waitFor();
    expect(await faultsOf(page)).toEqual([]);
  }
  await page.getByRole('dialog').getByText(other.name).click();
  await anna.title(other.name).waitFor();
  if (look.viewport === narrow) await page.getByRole('button', { name: 'Back to the list' }).click();
  await anna.join(room.name);

  await ben.send(room.id, `A look at https://example.com/${'long'.repeat(60)}`);
  await ben.send(other.id, 'Elsewhere');
  await anna.say('An answer\nof two lines');
  await page.locator('.status-read, .status').last().waitFor();
  ben.typing(room.id);
  await page.locator('.typing').waitFor();
  expect(await faultsOf(page)).toEqual([]);

  const root = (await ben.history(room.id)).at(-1)!.id;
  await ben.send(room.id, 'A reply', { replyTo: root, root });
  await page.locator('.quote').first().waitFor();
  await page.getByRole('button', { name: 'Reply: A reply' }).click();
  await page.getByRole('button', { name: 'Do not reply' }).waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole('button', { name: 'Do not reply' }).click();
  await page.getByRole('button', { name: '1 answer' }).click();
  await page.getByRole('list', { name: 'Answers' }).getByText('A reply').waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  await page.getByRole('button', { name: 'Members' }).click();
  await page.locator('.member').first().waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole('button', { name: 'Leave this chat' }).click();
  await page.getByText(`Leave “${room.name}”?`).waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByText(`Leave “${room.name}”?`).waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Members');
});
