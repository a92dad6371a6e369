import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from './launch-browser.ts';
import type { Scene } from './scene.ts';

const sizes = { wide: { width: 1280, height: 800 }, narrow: { width: 390, height: 844 } };
const schemes = ['light', 'dark'] as const;

/** Takes a picture of the scene in each size and colour scheme, into `folder`. */
export async function takePictures(url: string, scene: Scene, folder: string): Promise<void> {
  const browser = await launchBrowser();
  try {
    for (const [size, viewport] of Object.entries(sizes)) {
      for (const colorScheme of schemes) {
        const page = await signedInPage(browser, url, scene, { viewport, colorScheme });
        await page.screenshot({ path: join(folder, `${size}-${colorScheme}.png`) });
        await page.context().close();
      }
    }
  } finally {
    await browser.close();
  }
}

async function signedInPage(
  browser: Browser,
  url: string,
  { me, chatId, typist }: Scene,
  look: { viewport: { width: number; height: number }; colorScheme: 'light' | 'dark' },
): Promise<Page> {
  const context = await browser.newContext({
    ...look,
    timezoneId: afternoonZone(),
    locale: 'en-GB',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto(`${url}/#/chat/${chatId}`);
  await page.getByRole('tab', { name: 'Log in' }).click();
  await page.getByLabel('User name').fill(me.username);
  await page.getByLabel('Password').fill(me.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('walnuts').last().waitFor();
  await page.locator('.online-dot').first().waitFor({ state: 'attached' });
  await page.locator('.status-read').last().waitFor();
  await page.locator('body').click({ position: { x: 2, y: 2 } });
  await page.mouse.move(0, 0);
  // Others are told at most every 3 seconds.
  const typing = setInterval(() => typist.client.typing(chatId), 500);
  await page.locator('.typing').waitFor();
  clearInterval(typing);
  return page;
}

/** A zone where it is between two and three in the afternoon, so that what was said within hours was said on the same day. */
function afternoonZone(): string {
  const offset = ((14 - new Date().getUTCHours() + 36) % 24) - 12;
  return `Etc/GMT${offset > 0 ? '-' : '+'}${Math.abs(offset)}`;
}
