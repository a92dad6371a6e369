import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import pg from 'pg';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from './launch-browser.ts';
import type { Person } from './people.ts';
import type { Scene } from './scene.ts';

interface Where {
  /** Of the gateway. */
  url: string;
  adminPort: number;
  /** Of a process that has a Prometheus to ask. */
  dashboardsPort: number;
  dsn: string;
}

const look = { viewport: { width: 1280, height: 860 }, colorScheme: 'light', locale: 'en-GB' } as const;

/** How long the service is under load before the pictures are taken: the plots have a point every 5 seconds. In milliseconds. */
const loadMs = 45_000;

/** Takes pictures of the console while people write, and while one client does not read. */
export async function takeConsolePictures(where: Where, { me, people, chatId }: Scene, folder: string): Promise<void> {
  await makeAdministrator(where.dsn, me);
  const stuck = await stopReading(where.url, people[1]!, chatId);
  const writing = write(people, chatId);
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage(look);
    await signIn(page, where.adminPort, me);
    await page.waitForTimeout(loadMs);
    await page.reload();
    await page.locator('.plot canvas').first().waitFor();
    await page.waitForTimeout(500);
    await page.screenshot({ path: join(folder, 'console-overview.png') });
    await page.getByRole('link', { name: 'Streams' }).click();
    await page.getByRole('row').nth(2).waitFor();
    await page.screenshot({ path: join(folder, 'console-streams.png') });
    await page.getByRole('link', { name: 'Chats', exact: true }).click();
    await page.getByLabel('Id of a chat, or name of a room').fill('books');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Show the newest' }).click();
    await page.getByText('the usual table?').waitFor();
    await page.screenshot({ path: join(folder, 'console-chat.png') });
    await page.close();
    await takeDashboard(browser, where.dashboardsPort, me, join(folder, 'console-dashboard.png'));
  } finally {
    await browser.close();
    await writing.stop();
    stuck.destroy();
  }
}

async function takeDashboard(browser: Browser, port: number, me: Person, path: string): Promise<void> {
  const page = await browser.newPage(look);
  await signIn(page, port, me);
  await page.goto(`http://127.0.0.1:${port}/admin/#/dashboards?uid=chat-path`);
  await page.getByLabel('Time shown').selectOption('5 minutes');
  await page.locator('.plot canvas').nth(3).waitFor();
  await page.waitForTimeout(500);
  await page.screenshot({ path });
}

async function makeAdministrator(dsn: string, { userId }: Person): Promise<void> {
  const database = new pg.Client({ connectionString: dsn });
  // It breaks if the server ends after an interruption.
  database.on('error', () => {});
  await database.connect();
  await database.query(`update auth.accounts set roles = '{user,admin}' where user_id = $1`, [userId]);
  await database.end();
}

async function signIn(page: Page, adminPort: number, { username, password }: Person): Promise<void> {
  await page.goto(`http://127.0.0.1:${adminPort}/admin/`);
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('ready', { exact: true }).waitFor();
}

/** Opens server-sent events as this person, and reads none. */
async function stopReading(url: string, { username, password }: Person, chatId: string): Promise<IncomingMessage> {
  const answer = await fetch(`${url}/v1/auth/login`, { method: 'POST', body: JSON.stringify({ username, password }) });
  const { accessToken } = (await answer.json()) as { accessToken: string };
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${accessToken}` };
    get(`${url}/v1/chats/${chatId}/events`, { headers }, (events) => resolve(events.pause())).on('error', reject);
  });
}

/** Lets the chat's members write long messages until it is stopped. */
function write(people: readonly Person[], chatId: string): { stop(): Promise<void> } {
  let stopped = false;
  const members = people.slice(0, 4);
  const writers = members.map(async ({ client }, index) => {
    for (let count = 0; !stopped; count += 1) {
      const burst = 3 + Math.round(6 * (1 + Math.sin(count / 12 + index)));
      await Promise.all(Array.from({ length: burst }, () => client.send(chatId, 'wind and waves '.repeat(200))));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
  const all = Promise.all(writers);
  // `stop` throws it.
  all.catch(() => {});
  return {
    async stop() {
      stopped = true;
      await all;
    },
  };
}
