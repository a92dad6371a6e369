import { afterAll, beforeAll, expect, test } from 'vitest';
import { uniqueName } from '../../internal/testing/clients/person.ts';
import { startTestService, type TestService } from '../../internal/testing/services/test-service.ts';
import type { ChatClient } from '../../pkg/chat-client/index.ts';
import { builtPage } from './testing/built-page.ts';
import { ChatPage } from './testing/chat-page.ts';

let service: TestService;
beforeAll(async () => {
  [service] = await Promise.all([startTestService(), builtPage()]);
});
afterAll(() => service?.stop());

/** Anna's page in a room that Ben owns. */
async function setUp(): Promise<{ anna: ChatPage; ben: ChatClient; room: { id: string; name: string } }> {
  const [anna, ben] = await Promise.all([
    ChatPage.guest(service.url, uniqueName('anna')),
    service.client(uniqueName('ben')),
  ]);
  const room = await ben.joinRoom(uniqueName('room'));
  await anna.join(room.name);
  return { anna, ben, room };
}

test('what others edit, delete and hide changes in its place', async () => {
  const { anna, ben, room } = await setUp();
  const ids: string[] = [];
  for (const text of ['one', 'two', 'three']) ids.push((await ben.send(room.id, text)).messageId);
  await anna.shows(['one', 'two', 'three']);
  const [one, two, three] = ids.map((messageId) => ({ chatId: room.id, messageId, clientChangeId: 'change' }));
  await ben.call('editMessage', { ...one!, text: 'one, edited' });
  await anna.shows(['one, edited', 'two', 'three']);
  expect(await anna.page.getByTitle(/^Edited /).count()).toBe(1);
  await ben.call('deleteMessage', { ...two!, clientChangeId: '', hide: false, reason: '' });
  await anna.shows(['one, edited', 'three']);
  await anna.page.locator('.bubble').getByText('This message was deleted').waitFor();
  await ben.call('deleteMessage', { ...three!, clientChangeId: '', hide: true, reason: '' });
  await anna.shows(['one, edited']);
  await anna.listed(room.name).getByText('This message was deleted').waitFor();
  expect(anna.faults).toEqual([]);
});

test('an edit is nothing new in the list of chats; a deleted message is unread no more', async () => {
  const { anna, ben, room } = await setUp();
  await anna.join(uniqueName('elsewhere'));
  const first = await ben.send(room.id, 'one');
  const last = await ben.send(room.id, 'two');
  await anna.listed(room.name).getByText('2 unread').waitFor();
  const other = await ben.joinRoom(uniqueName('other'));
  await anna.join(other.name);
  await ben.call('editMessage', {
    chatId: room.id,
    messageId: last.messageId,
    clientChangeId: 'a',
    text: 'two, edited',
  });
  await anna.listed(room.name).getByText('two, edited').waitFor();
  expect(await anna.listed(room.name).getByText('2 unread').count()).toBe(1);
  const titles = await anna.page.locator('.chat-item-title').allInnerTexts();
  expect(titles[0]).toBe(other.name);
  const deletion = { chatId: room.id, messageId: first.messageId, clientChangeId: '', hide: false, reason: '' };
  await ben.call('deleteMessage', deletion);
  await anna.listed(room.name).getByText('1 unread').waitFor();
});
