import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { uniqueName } from '../../internal/testing/clients/person.ts';
import { eventually } from '../../internal/testing/eventually.ts';
import { startTestService, type TestService } from '../../internal/testing/services/test-service.ts';
import { builtPage } from './testing/built-page.ts';
import { ChatPage } from './testing/chat-page.ts';

let service: TestService;
beforeAll(async () => {
  // Tokens that are refreshed every few seconds.
  [service] = await Promise.all([startTestService({ AUTH_TOKEN_TTL_SECONDS: '4' }), builtPage()]);
});
afterAll(() => service?.stop());

const password = crypto.randomUUID();

async function registered(): Promise<{ page: ChatPage; username: string }> {
  const page = await ChatPage.open(service.url);
  const username = uniqueName('anna');
  await page.page.getByRole('tab', { name: 'Register' }).click();
  await page.page.getByLabel('User name').fill(username);
  await page.page.getByLabel('Name that others see').fill('Anna Lindqvist');
  await page.page.getByLabel('Password').fill(password);
  await page.page.getByRole('button', { name: 'Make an account' }).click();
  await page.page.getByText('Anna Lindqvist').waitFor();
  return { page, username };
}

const stored = ({ page }: ChatPage) => page.evaluate(() => localStorage.getItem('chat/session'));

test('an account stays signed in over a reload, and its password is nowhere', async () => {
  const { page, username } = await registered();
  await page.join(uniqueName('room'));
  await page.page.reload();
  await page.page.getByText('Anna Lindqvist').waitFor();
  await page.composer.waitFor();
  expect(JSON.parse((await stored(page))!)).toMatchObject({ kind: 'account', userId: username });
  const everything = await page.page.context().storageState({ indexedDB: true });
  expect(JSON.stringify(everything)).not.toContain(password);
});

test('a refresh whose answer is lost does not sign out, not even by a reload', async () => {
  const { page } = await registered();
  await page.join(uniqueName('room'));
  const statuses: number[] = [];
  let lost = 0;
  await page.page.route('**/auth/refresh', async (route) => {
    const answer = await route.fetch();
    statuses.push(answer.status());
    lost += 1;
    if (lost <= 2) await route.abort('connectionreset');
    else await route.fulfill({ response: answer });
    if (lost === 1) await page.page.reload();
  });
  await eventually(() => expect(lost).toBeGreaterThan(2));
  expect(new Set(statuses)).toEqual(new Set([200]));
  await page.say('still here');
  await page.shows(['still here']);
});

test('tabs share a session: one refreshes for all of them, with a token that none has used', async () => {
  const { page } = await registered();
  await page.join(uniqueName('room'));
  const context = page.page.context();
  const refreshes: number[] = [];
  context.on('response', (response) => response.url().endsWith('/auth/refresh') && refreshes.push(response.status()));
  const address = page.page.url();
  // All of them need a new access token at the same moment.
  await page.page.goto('about:blank');
  const leftAt = Date.now();
  await eventually(() => expect(Date.now() - leftAt).toBeGreaterThan(4_000));
  const tabs = await Promise.all(Array.from({ length: 4 }, () => context.newPage()));
  await Promise.all(tabs.map((tab) => tab.goto(address)));
  await Promise.all(tabs.map((tab) => tab.getByRole('textbox', { name: /^Message to/ }).waitFor()));
  expect(refreshes[0]).toBe(200);
  // The next ones come when those tokens are about to expire.
  await eventually(() => expect(refreshes.length).toBeGreaterThan(3));
  expect(new Set(refreshes)).toEqual(new Set([200]));
  await tabs[0]!.getByRole('textbox', { name: /^Message to/ }).fill('still here');
  await tabs[0]!.keyboard.press('Enter');
  await tabs[3]!.getByText('still here', { exact: true }).first().waitFor();
});

test('signing out ends the session at the service, in all tabs, and leaves nothing behind', async () => {
  const { page, username } = await registered();
  const tab = await page.page.context().newPage();
  await tab.goto(service.url);
  await tab.getByText('Anna Lindqvist').waitFor();
  await page.page.getByRole('button', { name: 'Sign out' }).click();
  for (const one of [page.page, tab]) await one.getByRole('heading', { name: 'Welcome to Chat' }).waitFor();
  const [left] = (await page.page.context().storageState({ indexedDB: true })).origins;
  expect(JSON.stringify(left ?? {})).not.toMatch(/token"|userId/);
  const { auth } = service.transport();
  const { accessToken } = await auth.login({ username, password }, {});
  expect((await auth.listSessions({}, { token: accessToken })).sessions).toHaveLength(1);
});

test('a session that is ended elsewhere leads to the sign-in, and says why', async () => {
  const { page, username } = await registered();
  const { auth } = service.transport();
  const { accessToken: token } = await auth.login({ username, password }, {});
  const { sessions } = await auth.listSessions({}, { token });
  for (const { id, current } of sessions) if (!current) await auth.revokeSession({ sessionId: id }, { token });
  await page.page.getByText('Your session has ended.').waitFor({ timeout: 20_000 });
  expect(await stored(page)).toBeNull();
});

test('a page that came without TLS from elsewhere, where there is no crypto.randomUUID, signs in and sends', async () => {
  const chat = await ChatPage.open(service.url);
  const { page } = chat;
  await page.addInitScript(() => Reflect.deleteProperty(Crypto.prototype, 'randomUUID'));
  await page.reload();
  expect(await page.evaluate(() => 'randomUUID' in crypto)).toBe(false);
  await page.getByLabel('Your name').fill(uniqueName('anna'));
  await page.getByRole('button', { name: 'Join as guest' }).click();
  await chat.join(uniqueName('room'));
  await chat.say('from the next room');
  await chat.shows(['from the next room']);
  await page.getByText('Sent', { exact: true }).waitFor();
});

test('wrong credentials are refused with a sentence', async () => {
  const page = await ChatPage.open(service.url);
  await page.page.getByRole('tab', { name: 'Log in' }).click();
  await page.page.getByLabel('User name').fill('nobody');
  await page.page.getByLabel('Password').fill('wrong');
  await page.page.getByRole('button', { name: 'Log in' }).click();
  await page.page.getByText('The user name or the password is wrong.').waitFor();
});

test('where guests are not admitted the page offers accounts', async () => {
  const closed = await startTestService({ AUTH_GUESTS: 'false' });
  onTestFinished(() => closed.stop());
  const page = await ChatPage.open(closed.url);
  await page.page.getByLabel('Your name').fill('anna');
  await page.page.getByRole('button', { name: 'Join as guest' }).click();
  await page.page.getByText('Guests are not admitted here').waitFor();
  expect(await page.page.getByRole('tab').allInnerTexts()).toEqual(['Log in', 'Register']);
});
