import { afterAll, beforeAll, expect, test } from 'vitest';
import { uniqueName } from '../../internal/testing/clients/person.ts';
import { eventually } from '../../internal/testing/eventually.ts';
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

test('the last message is edited with the keyboard; Escape leaves it as it was', async () => {
  const { anna, ben, room } = await setUp();
  const { page } = anna;
  await anna.say('one');
  await anna.say('two');
  await page.getByRole('button', { name: 'Edit: two' }).waitFor();
  await anna.composer.press('ArrowUp');
  await anna.editor.waitFor();
  await eventually(async () => expect(await anna.focused()).toBe('Edit the message'));
  await page.keyboard.type(' or three');
  await page.keyboard.press('Escape');
  await anna.shows(['one', 'two']);
  expect(await anna.focused()).toBe(`Message to ${room.name}`);
  await page.keyboard.press('ArrowUp');
  await eventually(async () => expect(await anna.focused()).toBe('Edit the message'));
  await page.keyboard.type(', edited');
  await page.keyboard.press('Enter');
  await anna.shows(['one', 'two, edited']);
  expect(await anna.focused()).toBe(`Message to ${room.name}`);
  await page.getByTitle(/^Edited /).waitFor();
  expect((await ben.history(room.id)).at(-1)).toMatchObject({ text: 'two, edited' });

  // From the composer to the buttons of the last message, and by arrow key to those of the one before.
  await page.keyboard.press('Shift+Tab');
  expect(await anna.focused()).toBe('Delete: two, edited');
  const ofTwo = ['Edit', 'Thread', 'Reply', 'React'].map((action) => `${action}: two, edited`);
  for (const name of [...ofTwo, 'Delete: one', 'Edit: one']) {
    await page.keyboard.press('ArrowUp');
    expect(await anna.focused()).toBe(name);
  }
  expect(anna.faults).toEqual([]);
});

test('a message that has changed since the user began to edit is not overwritten unseen', async () => {
  const [anna, sameAnna] = await openTwice();
  await anna.say('one');
  await sameAnna.shows(['one']);
  await anna.page.getByRole('button', { name: 'Edit: one' }).click();
  await anna.editor.fill('of this page');
  await sameAnna.page.getByRole('button', { name: 'Edit: one' }).click();
  await sameAnna.editor.fill('of the other page');
  await sameAnna.editor.press('Enter');
  await sameAnna.shows(['of the other page']);
  await anna.listed('').first().getByText('of the other page').waitFor();
  await anna.editor.press('Enter');
  await anna.page.getByText('The message has changed meanwhile. It is now: “of the other page”.').waitFor();
  expect(await anna.editor.inputValue()).toBe('of this page');
  await anna.page.getByRole('button', { name: 'Save' }).click();
  for (const page of [anna, sameAnna]) await page.shows(['of this page']);
});

test('a message is deleted after a question', async () => {
  const { anna, ben, room } = await setUp();
  await anna.say('one');
  await anna.page.getByRole('button', { name: 'Delete: one' }).click();
  const dialog = anna.page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(await anna.focused()).toBe('Delete: one');
  await anna.page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await anna.page.locator('.bubble').getByText('This message was deleted').waitFor();
  await eventually(async () => expect(await anna.focused()).toBe(`Message to ${room.name}`));
  expect(await anna.page.getByRole('button', { name: /^(Edit|Delete): / }).count()).toBe(0);
  expect((await ben.history(room.id)).at(-1)).toMatchObject({ text: '', deletedAt: expect.any(Date) });
  expect(anna.faults).toEqual([]);
});

test('moderators delete the messages of others; nobody edits them', async () => {
  const name = uniqueName('anna');
  const [anna, ben] = await Promise.all([ChatPage.guest(service.url, name), service.client(uniqueName('ben'))]);
  const group = await ben.call('createChat', { type: 2, name: 'Group', memberIds: [`guest:${name}`] });
  const chatId = group.chat!.id;
  await ben.send(chatId, 'of Ben');
  await anna.goTo(chatId);
  await anna.shows(['of Ben']);
  expect(await anna.page.getByRole('button', { name: /^(Edit|Delete): / }).count()).toBe(0);
  await ben.call('updateMember', { chatId, userId: `guest:${name}`, role: 3 });
  await anna.page.getByRole('button', { name: 'Delete: of Ben' }).click();
  expect(await anna.page.getByRole('button', { name: 'Edit: of Ben' }).count()).toBe(0);
  await anna.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await anna.page.locator('.bubble').getByText('This message was deleted').waitFor();
  await eventually(async () => expect((await ben.history(chatId)).map(({ text }) => text)).not.toContain('of Ben'));
});

/** Two pages of one user in one room. */
async function openTwice(): Promise<[ChatPage, ChatPage]> {
  const name = uniqueName('anna');
  const [one, other] = [await ChatPage.guest(service.url, name), await ChatPage.guest(service.url, name)];
  const room = uniqueName('room');
  await one.join(room);
  await other.listed(room).click();
  return [one, other];
}
