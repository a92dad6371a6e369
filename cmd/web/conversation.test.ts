import { afterAll, beforeAll, expect, test } from 'vitest';
import { uniqueName } from '../../internal/testing/clients/person.ts';
import { eventually } from '../../internal/testing/eventually.ts';
import { startTestService, type TestService } from '../../internal/testing/services/test-service.ts';
import { builtPage } from './testing/built-page.ts';
import { ChatPage } from './testing/chat-page.ts';

let service: TestService;
beforeAll(async () => {
  [service] = await Promise.all([startTestService(), builtPage()]);
});
afterAll(() => service?.stop());

test('two people talk to each other', async () => {
  const [anna, ben] = await Promise.all([
    ChatPage.guest(service.url, uniqueName('anna')),
    ChatPage.guest(service.url, uniqueName('ben')),
  ]);
  const room = uniqueName('room');
  await anna.join(room);
  await ben.join(room);
  await anna.say('Hello, Ben.');
  await ben.shows(['Hello, Ben.']);
  await ben.say('Hello!\n\nTwo lines.');
  await anna.shows(['Hello, Ben.', 'Hello!\n\nTwo lines.']);
  await anna.page.getByText('Read by 1').first().waitFor();
  expect([...anna.faults, ...ben.faults]).toEqual([]);
});

test('who is typing is shown until their message comes', async () => {
  const [anna, ben] = await Promise.all([
    ChatPage.guest(service.url, uniqueName('anna')),
    ChatPage.guest(service.url, uniqueName('ben')),
  ]);
  const room = uniqueName('room');
  await anna.join(room);
  await ben.join(room);
  await ben.composer.pressSequentially('Well');
  const typing = anna.page.locator('.typing');
  await typing.filter({ hasText: /ben-\d+ is typing/ }).waitFor();
  await ben.composer.press('Enter');
  await anna.shows(['Well']);
  // Sooner than by time.
  await typing.waitFor({ state: 'detached', timeout: 3_000 });
});

test('who comes and goes is shown', async () => {
  const anna = await ChatPage.guest(service.url, uniqueName('anna'));
  const name = uniqueName('ben');
  const ben = await ChatPage.guest(service.url, name);
  await anna.page.getByRole('button', { name: 'Start a chat' }).first().click();
  await anna.page.getByRole('tab', { name: 'Person' }).click();
  await anna.page.getByRole('list', { name: 'People who are online' }).getByText(name, { exact: true }).click();
  await anna.title(name).waitFor();
  await anna.page.getByText('Online', { exact: true }).waitFor();
  await ben.page.close();
  await anna.page.getByText('Not online').waitFor({ timeout: 20_000 });
});

test('what is unread is counted until it has been looked at, also by another page of the same user', async () => {
  const name = uniqueName('anna');
  const [anna, sameAnna, ben] = await Promise.all([
    ChatPage.guest(service.url, name),
    ChatPage.guest(service.url, name),
    service.client(uniqueName('ben')),
  ]);
  const [room, other] = [uniqueName('news'), uniqueName('other')];
  await anna.join(room);
  await anna.join(other);
  const { id } = await ben.joinRoom(room);
  await ben.send(id, 'one');
  await ben.send(id, 'two');
  const { seq } = await ben.send(id, 'three');
  for (const page of [anna, sameAnna]) await page.listed(room).getByText('3 unread').waitFor();
  await eventually(async () => expect(await anna.page.title()).toBe(`(3) ${other} · Chat`));
  await anna.listed(room).click();
  await anna.page.getByText('New messages', { exact: true }).waitFor();
  await anna.shows(['one', 'two', 'three']);
  for (const page of [anna, sameAnna]) await page.listed(room).locator('.badge').waitFor({ state: 'detached' });
  expect((await ben.call('listMembers', { chatId: id })).members.map(({ readSeq }) => readSeq)).toContain(seq);
});

test('text, names of rooms, people and groups are never taken for markup', async () => {
  const hostile = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
  const anna = await ChatPage.guest(service.url, uniqueName('anna'));
  const me = await anna.page.locator('.sidebar-id').innerText();
  const mallory = service.transport();
  const { accessToken: token } = await mallory.auth.register(
    { username: uniqueName('mallory'), password: crypto.randomUUID(), name: hostile.slice(0, 64) },
    {},
  );
  const { chat } = await mallory.chat.createChat({ type: 2, name: hostile, memberIds: [me] }, { token });
  const text = `${hostile} javascript:alert(1) https://example.com/"onmouseover="x`;
  await mallory.chat.sendMessage({ chatId: chat!.id, clientMessageId: 'a', text }, { token });
  await anna.listed(hostile).click();
  await anna.shows([text]);
  await anna.title(hostile).waitFor();
  expect(await anna.page.locator('.bubble-sender').innerText()).toBe(hostile.slice(0, 64));
  const links = anna.page.locator('.bubble-text a');
  expect(
    await links.evaluateAll((all) => all.map((one) => [one.getAttribute('href'), one.getAttribute('rel')])),
  ).toEqual([['https://example.com/', 'noopener noreferrer nofollow']]);
  expect(await anna.page.locator('#app img, #app script').count()).toBe(0);
  expect(await anna.page.title()).toContain(hostile);
  expect(anna.faults).toEqual([]);
});

test('everything can be done with the keyboard alone', async () => {
  const { page, composer, faults } = await ChatPage.open(service.url);
  const room = uniqueName('room');
  const focused = () =>
    page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent);
  await page.keyboard.press('Tab');
  expect(await focused()).toBe('Guest');
  await page.keyboard.press('Tab');
  await page.keyboard.type(uniqueName('anna'));
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Chats' }).waitFor();
  while ((await focused()) !== 'Start a chat') await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await focused()).toBe('Start a chat');
  await page.keyboard.press('Enter');
  while ((await focused()) !== 'Rooms') await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.type(room);
  await page.keyboard.press('Enter');
  await composer.waitFor();
  await eventually(async () => expect(await focused()).toBe(`Message to ${room}`));
  await page.keyboard.type('one');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('two');
  await page.keyboard.press('Enter');
  await page.locator('.bubble-text', { hasText: 'one\ntwo' }).waitFor();
  await page.keyboard.press('Escape');
  expect(await focused()).toBe(`Messages of ${room}`);
  expect(faults).toEqual([]);
});
