import { afterAll, beforeAll, expect, test } from 'vitest';
import { uniqueName } from '../../internal/testing/clients/person.ts';
import { startTestService, type TestService } from '../../internal/testing/services/test-service.ts';
import { builtPage } from './testing/built-page.ts';
import { ChatPage } from './testing/chat-page.ts';

const narrow = { width: 390, height: 844 };

let service: TestService;
beforeAll(async () => {
  [service] = await Promise.all([startTestService(), builtPage()]);
});
afterAll(() => service?.stop());

test('a narrow screen shows the list or the chat, and the way back', async () => {
  const anna = await ChatPage.guest(service.url, uniqueName('anna'), { viewport: narrow });
  const room = uniqueName('room');
  const list = anna.page.getByRole('navigation', { name: 'Chats' });
  await anna.join(room);
  expect(await list.isVisible()).toBe(false);
  await anna.page.getByRole('button', { name: 'Back to the list' }).click();
  await list.waitFor();
  expect(await anna.composer.isVisible()).toBe(false);
  await anna.listed(room).click();
  await anna.page.goBack();
  await list.waitFor();
});

test('what others say is read out, once', async () => {
  const anna = await ChatPage.guest(service.url, uniqueName('anna'));
  const name = uniqueName('ben');
  const ben = await service.client(name);
  const room = await ben.joinRoom(uniqueName('room'));
  const other = await ben.joinRoom(uniqueName('other'));
  await anna.join(other.name);
  await anna.join(room.name);
  const announcer = anna.page.getByTestId('announcer');
  await ben.send(room.id, 'Hello.');
  await announcer.getByText(`${name}: Hello.`, { exact: true }).waitFor();
  await ben.send(other.id, 'Here, too.');
  await announcer.getByText(`${other.name}: ${name}: Here, too.`, { exact: true }).waitFor();
  expect(await announcer.locator('p').count()).toBe(1);
});
