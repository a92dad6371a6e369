import { afterAll, beforeAll, expect, test } from 'vitest';
import { uniqueName } from '../../internal/testing/clients/person.ts';
import { eventually } from '../../internal/testing/eventually.ts';
import { startTestService, type TestService } from '../../internal/testing/services/test-service.ts';
import type { ChatClient, Mention } from '../../pkg/chat-client/index.ts';
import { builtPage } from './testing/built-page.ts';
import { ChatPage } from './testing/chat-page.ts';

let service: TestService;
beforeAll(async () => {
  [service] = await Promise.all([startTestService(), builtPage()]);
});
afterAll(() => service?.stop());

interface Scene {
  anna: ChatPage;
  annaName: string;
  ben: ChatClient;
  benName: string;
  room: { id: string; name: string };
  /** Ben's text that mentions Anna, at its beginning. */
  mention: (text: string) => Promise<unknown>;
}

/** Anna's page in a room that Ben owns. */
async function setUp(): Promise<Scene> {
  const [annaName, benName] = [uniqueName('anna'), uniqueName('ben')];
  const [anna, ben] = await Promise.all([ChatPage.guest(service.url, annaName), service.client(benName)]);
  const room = await ben.joinRoom(uniqueName('room'));
  await anna.join(room.name);
  const one: Mention = { userId: `guest:${annaName}`, everyone: false, offset: 0, length: annaName.length + 1 };
  const mention = (text: string) => ben.send(room.id, `@${annaName} ${text}`, { mentions: [one] });
  return { anna, annaName, ben, benName, room, mention };
}

test('members are suggested after an @, and the sent text mentions the one that was chosen', async () => {
  const { anna, ben, benName } = await setUp();
  const heard: string[] = [];
  ben.on('message', ({ mentions }) => heard.push(...mentions.map(({ userId }) => userId)));
  await anna.composer.pressSequentially(`hi @${benName.slice(0, 2)}`);
  const options = anna.page.getByRole('listbox', { name: 'Members to mention' }).getByRole('option');
  await options.filter({ hasText: benName }).waitFor();
  await anna.composer.press('Enter');
  expect(await anna.composer.inputValue()).toBe(`hi @${benName} `);
  await anna.composer.press('Enter');
  await anna.shows([`hi @${benName} `]);
  await eventually(() => expect(heard).toEqual([`guest:${benName}`]));
  await anna.page.locator('.mention', { hasText: `@${benName}` }).waitFor();
  expect(anna.faults).toEqual([]);
});

test('a mention has a badge in the list and stands out in the chat, also in one that is muted', async () => {
  const { anna, ben, room, mention } = await setUp();
  await anna.page.getByRole('button', { name: 'Mute for 8 hours' }).click();
  await anna.page.getByRole('button', { name: 'Muted: notify again' }).waitFor();
  await anna.listed(room.name).getByText('Muted').waitFor();
  await anna.join(uniqueName('elsewhere'));
  await ben.send(room.id, 'nothing');
  await anna.listed(room.name).getByText('1 unread').waitFor();
  expect(await anna.listed(room.name).getByText('mention of you').count()).toBe(0);
  await mention('look');
  await anna.listed(room.name).getByText('mention of you').waitFor();
  await anna.listed(room.name).click();
  await anna.page.locator('.mention-own').waitFor();
  await eventually(async () => expect(await anna.listed(room.name).getByText('mention of you').count()).toBe(0));
  await anna.page.getByRole('button', { name: 'Muted: notify again' }).click();
  await anna.page.getByRole('button', { name: 'Mute for 8 hours' }).waitFor();
  expect(anna.faults).toEqual([]);
});

test('a message that is marked as unread stays unread until the chat is opened again, and others see the mark', async () => {
  const { anna, annaName, ben, room } = await setUp();
  const marks: unknown[] = [];
  ben.on('read', ({ userId, seq, generation }) => marks.push([userId, seq, generation]));
  const { seq } = await ben.send(room.id, 'later');
  await anna.shows(['later']);
  await eventually(() => expect(marks).toContainEqual([`guest:${annaName}`, seq, 0]));
  await anna.page.locator('.bubble-row').last().hover();
  await anna.page.getByRole('button', { name: 'Mark as unread: later' }).click();
  await anna.listed(room.name).getByText('1 unread').waitFor();
  await anna.page.getByText('New messages').waitFor();
  await eventually(() => expect(marks).toContainEqual([`guest:${annaName}`, seq - 1, 1]));
  await ben.send(room.id, 'and more');
  await anna.listed(room.name).getByText('2 unread').waitFor();
  await anna.join(uniqueName('elsewhere'));
  await anna.listed(room.name).click();
  await eventually(async () => expect(await anna.listed(room.name).getByText('unread').count()).toBe(0));
  expect(anna.faults).toEqual([]);
});

test('a button leads back to the first unread message, however far it is', async () => {
  const { anna, ben, room } = await setUp();
  await anna.join(uniqueName('elsewhere'));
  for (let i = 0; i < 30; i += 1)
    await Promise.all(Array.from({ length: 10 }, (_, j) => ben.send(room.id, `message ${i * 10 + j}`)));
  await anna.listed(room.name).getByText('300 unread').waitFor();
  await anna.listed(room.name).click();
  await anna.page.getByRole('button', { name: /go to the end/ }).click();
  await anna.page.getByText('message 299', { exact: true }).waitFor();
  await anna.page.getByRole('button', { name: 'Jump to unread' }).click();
  await anna.page.getByText('New messages').waitFor();
  await anna.page.getByText('message 0', { exact: true }).waitFor();
  expect(anna.faults).toEqual([]);
});
