import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { uniqueName } from '../../internal/testing/clients/person.ts';
import { eventually } from '../../internal/testing/eventually.ts';
import { startTcpProxy, type TcpProxy } from '../../internal/testing/faults/tcp-proxy.ts';
import { ChildService } from '../../internal/testing/services/child-service.ts';
import { createTestDatabase } from '../../internal/testing/services/test-database.ts';
import { startTestService, type TestService } from '../../internal/testing/services/test-service.ts';
import { builtPage } from './testing/built-page.ts';
import { ChatPage } from './testing/chat-page.ts';

// Slow: pages wait for networks and services that go away and come back.
beforeAll(builtPage);

/** A service, and the way to it, which can be cut. */
async function setUp(): Promise<{ service: TestService; proxy: TcpProxy; url: string }> {
  const service = await startTestService();
  const proxy = await startTcpProxy(service.url);
  onTestFinished(async () => {
    await proxy.close();
    await service.stop();
  });
  return { service, proxy, url: proxy.dsn.replace(/\/$/, '') };
}

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name} ${index + 1}`);

test('a network that goes and comes back neither loses nor doubles anything on the screen', async () => {
  const { service, proxy, url } = await setUp();
  const anna = await ChatPage.guest(url, uniqueName('anna'));
  const ben = await service.client(uniqueName('ben'));
  const room = await ben.joinRoom(uniqueName('room'));
  await anna.join(room.name);
  await anna.say('before');
  await anna.shows(['before']);

  proxy.cut();
  await anna.banner.waitFor();
  for (const text of numbered('offline', 3)) await anna.say(text);
  await anna.shows(['before', ...numbered('offline', 3)]);
  expect(await anna.page.getByText('Sending').count()).toBe(3);
  for (const text of numbered('missed', 5)) await ben.send(room.id, text);
  proxy.restore();

  await anna.banner.waitFor({ state: 'detached', timeout: 20_000 });
  await anna.shows(['before', ...numbered('missed', 5), ...numbered('offline', 3)]);
  await anna.page.getByText('Sending').first().waitFor({ state: 'detached' });
  const stored = (await ben.history(room.id)).flatMap(({ text, system }) => (system ? [] : [text]));
  expect(stored).toEqual(['before', ...numbered('missed', 5), ...numbered('offline', 3)]);
});

test('what was edited and deleted while the page was away has changed, also above what is on the screen', async () => {
  const { service, proxy, url } = await setUp();
  const ben = await service.client(uniqueName('ben'));
  const room = await ben.joinRoom(uniqueName('room'));
  const texts = numbered('message', 120);
  const sent = await Promise.all(texts.map((text) => ben.send(room.id, text)));
  const anna = await ChatPage.guest(url, uniqueName('anna'));
  await anna.join(room.name);
  await anna.page.getByText('message 120', { exact: true }).waitFor();
  await anna.page.setViewportSize({ width: 1_200, height: 20_000 });
  await anna.shows(texts);
  await anna.page.setViewportSize({ width: 1_200, height: 800 });
  await anna.page.getByText('message 1', { exact: true }).waitFor({ state: 'detached' });

  proxy.cut();
  await anna.banner.waitFor();
  const change = (number: number) => ({ chatId: room.id, messageId: sent[number - 1]!.messageId });
  await ben.call('editMessage', { ...change(1), clientChangeId: 'a', text: 'edited while away' });
  await ben.call('editMessage', { ...change(1), clientChangeId: 'b', text: 'edited again' });
  await ben.call('deleteMessage', { ...change(2), clientChangeId: '', hide: false, reason: '' });
  await ben.call('deleteMessage', { ...change(3), clientChangeId: '', hide: true, reason: '' });
  await ben.send(room.id, 'after');
  proxy.restore();

  await anna.page.locator('.bubble').getByText('after', { exact: true }).waitFor();
  await anna.page.setViewportSize({ width: 1_200, height: 20_000 });
  await anna.shows(['edited again', ...texts.slice(3), 'after']);
  expect(await anna.page.locator('.bubble').getByText('This message was deleted').count()).toBe(1);
});

test('messages that were not sent survive a reload', async () => {
  const { service, proxy, url } = await setUp();
  const anna = await ChatPage.guest(url, uniqueName('anna'));
  const ben = await service.client(uniqueName('ben'));
  const room = await ben.joinRoom(uniqueName('room'));
  await anna.join(room.name);
  proxy.cut();
  await anna.banner.waitFor();
  for (const text of ['one', 'two']) await anna.say(text);
  await anna.page.goto('about:blank');
  proxy.restore();
  await anna.goTo(room.id);
  await anna.shows(['one', 'two']);
  expect((await ben.history(room.id)).map(({ text }) => text).filter(Boolean)).toEqual(['one', 'two']);
});

test('what a closed tab had not sent, another tab of the user sends', async () => {
  const { service, proxy, url } = await setUp();
  const anna = await ChatPage.guest(url, uniqueName('anna'));
  const ben = await service.client(uniqueName('ben'));
  const room = await ben.joinRoom(uniqueName('room'));
  await anna.join(room.name);
  const other = await anna.page.context().newPage();
  await other.goto(anna.page.url());
  await other.getByText('This is the beginning of the chat.').waitFor();
  proxy.cut();
  await anna.banner.waitFor();
  for (const text of ['one', 'two']) await anna.say(text);
  await anna.page.close();
  // They are shown as waiting before they can be sent.
  await other.locator('.bubble').getByText('two', { exact: true }).waitFor();
  expect(await other.getByText('Sending').count()).toBe(2);
  proxy.restore();

  await eventually(async () => {
    expect((await ben.history(room.id)).map(({ text }) => text).filter(Boolean)).toEqual(['one', 'two']);
  });
  await other.getByText('Sending').first().waitFor({ state: 'detached' });
  expect(await other.locator('.bubble').allInnerTexts()).toHaveLength(2);
});

test('edits and deletions that were made offline are shown as waiting, and survive a reload', async () => {
  const { service, proxy, url } = await setUp();
  const anna = await ChatPage.guest(url, uniqueName('anna'));
  const ben = await service.client(uniqueName('ben'));
  const room = await ben.joinRoom(uniqueName('room'));
  await anna.join(room.name);
  for (const text of ['one', 'two']) await anna.say(text);
  await anna.page.getByRole('button', { name: 'Edit: two' }).waitFor();
  proxy.cut();
  await anna.banner.waitFor();
  await anna.page.getByRole('button', { name: 'Delete: one' }).click();
  await anna.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await anna.composer.press('ArrowUp');
  await anna.editor.fill('two, edited');
  await anna.editor.press('Enter');
  await anna.shows(['one', 'two, edited']);
  expect(await anna.page.getByText(/^(Saving|Deleting)$/).count()).toBe(2);
  await anna.page.goto('about:blank');
  proxy.restore();
  await anna.goTo(room.id);
  await anna.page.locator('.bubble').getByText('This message was deleted').waitFor();
  await anna.page.getByTitle(/^Edited /).waitFor();
  await anna.shows(['two, edited']);
  expect((await ben.history(room.id)).map(({ text }) => text).filter(Boolean)).toEqual(['two, edited']);
});

test('what the service refuses can be sent again later, or discarded', async () => {
  const { service, proxy, url } = await setUp();
  const name = uniqueName('anna');
  const anna = await ChatPage.guest(url, name);
  const ben = await service.client(uniqueName('ben'));
  const room = await ben.joinRoom(uniqueName('room'));
  await anna.join(room.name);
  const setRole = (role: 1 | 2) => ben.call('updateMember', { chatId: room.id, userId: `guest:${name}`, role });
  proxy.cut();
  await anna.banner.waitFor();
  await anna.say('discarded');
  await anna.say('sent in the end');
  await setRole(1);
  proxy.restore();
  await anna.page.getByText('Not sent. Your role in this chat does not allow that.').nth(1).waitFor();
  await anna.page.getByText('You may read here, not write.').waitFor();
  await anna.page.getByTestId('announcer').getByText('A message was not sent.').waitFor();
  await anna.page.getByRole('button', { name: 'Discard' }).first().click();
  await setRole(2);
  await anna.composer.waitFor();
  await anna.page.getByRole('button', { name: 'Try again' }).click();
  await anna.page.locator('.failed').waitFor({ state: 'detached' });
  await anna.shows(['sent in the end']);
  expect((await ben.history(room.id)).at(-1)).toMatchObject({ text: 'sent in the end' });
});

test('a service that is killed and started again neither loses nor doubles anything on the screen', async () => {
  const env = { POSTGRES_DSN: await createTestDatabase() };
  const first = await ChildService.start(env);
  const [anna, ben] = await Promise.all([
    ChatPage.guest(first.url, uniqueName('anna')),
    ChatPage.guest(first.url, uniqueName('ben')),
  ]);
  const room = uniqueName('room');
  await anna.join(room);
  await ben.join(room);
  await anna.say('before');
  await ben.shows(['before']);

  const sending = (async () => {
    for (const text of numbered('message', 30)) await anna.say(text);
  })();
  await ben.page.getByText('message 3', { exact: true }).waitFor();
  first.signal('SIGKILL');
  await first.exited;
  await sending;
  await anna.banner.waitFor();
  await ChildService.start({ ...env, HTTP_PORT: new URL(first.url).port });

  const all = ['before', ...numbered('message', 30)];
  const last = anna.page.getByText('message 30', { exact: true });
  await last.waitFor({ timeout: 30_000 });
  await anna.page.getByText('Sending').first().waitFor({ state: 'detached', timeout: 30_000 });
  await ben.page.getByText('message 30', { exact: true }).waitFor({ timeout: 30_000 });
  for (const page of [anna, ben]) {
    await page.page.setViewportSize({ width: 1_200, height: 3_000 });
    await page.shows(all);
  }
});
