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

const quotes = (anna: ChatPage) => anna.page.locator('.bubble .quote').allInnerTexts();

async function quotesAre(anna: ChatPage, ...texts: RegExp[]): Promise<void> {
  await eventually(async () => {
    const found = await quotes(anna);
    expect(found).toHaveLength(texts.length);
    for (const [i, text] of texts.entries()) expect(found[i]).toMatch(text);
  });
}

test('a reply quotes its message in the newest state, and no more once it is deleted, also after a reload', async () => {
  const { anna, ben, room } = await setUp();
  const { page } = anna;
  const { messageId } = await ben.send(room.id, 'Shall we?');
  await anna.shows(['Shall we?']);
  await page.getByRole('button', { name: 'Reply: Shall we?' }).click();
  await page.locator('.composer-replying').getByText('Shall we?').waitFor();
  await eventually(async () => expect(await anna.focused()).toBe(`Message to ${room.name}`));
  await page.keyboard.type('Yes');
  await page.keyboard.press('Enter');
  await anna.shows(['Shall we?', 'Yes']);
  await quotesAre(anna, /ben.*Shall we\?/s);
  expect(await page.locator('.composer-replying').count()).toBe(0);
  expect((await ben.history(room.id)).at(-1)).toMatchObject({ text: 'Yes', replyTo: { messageId, seq: 3 } });

  await ben.edit(room.id, messageId, 'Shall we go?');
  await quotesAre(anna, /Shall we go\?/);
  for (let i = 0; i < 60; i += 1) await ben.send(room.id, `between ${i}`);
  const { seq } = await ben.send(room.id, 'Late', { replyTo: messageId });
  // The page opens a chat with unread messages at the first of them.
  await eventually(async () => {
    const { members } = await ben.call('listMembers', { chatId: room.id });
    expect(members.filter(({ readSeq }) => readSeq === seq)).toHaveLength(1);
  });
  expect(anna.faults).toEqual([]);
  await page.reload();
  await anna.listed(room.name).click();
  await page.locator('.bubble-text').getByText('Late').waitFor();
  await quotesAre(anna, /Shall we go\?/);
  await ben.delete(room.id, messageId, { hide: true });
  await quotesAre(anna, /This message was deleted/);
  expect(await page.content()).not.toContain('Shall we go?');
});

test('a reply is given up with Escape', async () => {
  const { anna, ben, room } = await setUp();
  await ben.send(room.id, 'one');
  await anna.page.getByRole('button', { name: 'Reply: one' }).click();
  await anna.page.locator('.composer-replying').waitFor();
  await eventually(async () => expect(await anna.focused()).toBe(`Message to ${room.name}`));
  await anna.page.keyboard.press('Escape');
  await anna.page.locator('.composer-replying').waitFor({ state: 'detached' });
  await anna.say('two');
  await anna.shows(['one', 'two']);
  await eventually(async () => expect((await ben.history(room.id)).at(-1)?.text).toBe('two'));
  expect((await ben.history(room.id)).at(-1)?.replyTo).toBeUndefined();
});

test('a thread is opened beside the chat, grows there, and its first message counts the answers', async () => {
  const { anna, ben, room } = await setUp();
  const { page } = anna;
  const { messageId: root } = await ben.send(room.id, 'The plan');
  await page.getByRole('button', { name: 'Thread: The plan' }).click();
  const panel = page.getByRole('dialog', { name: 'Thread' });
  await panel.getByText('The plan').waitFor();
  await panel.getByRole('textbox', { name: 'Answer in the thread' }).fill('First');
  await panel.getByRole('textbox').press('Enter');
  const answers = async () => panel.getByRole('list', { name: 'Answers' }).locator('.bubble-text').allInnerTexts();
  await eventually(async () => expect(await answers()).toEqual(['First']));
  expect(await panel.getByRole('checkbox', { name: 'Follow this thread' }).isChecked()).toBe(true);
  const second = await ben.send(room.id, 'Second', { root });
  await eventually(async () => expect(await answers()).toEqual(['First', 'Second']));
  await ben.send(room.id, 'Not in it');
  await ben.edit(room.id, second.messageId, 'Second, edited');
  await eventually(async () => expect(await answers()).toEqual(['First', 'Second, edited']));
  await panel.getByRole('checkbox', { name: 'Follow this thread' }).uncheck();
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'detached' });
  expect(await anna.focused()).toBe('Thread: The plan');

  await page.getByRole('button', { name: '2 answers' }).waitFor();
  expect(await page.getByRole('button', { name: 'In a thread' }).count()).toBe(2);
  await ben.delete(room.id, second.messageId);
  await page.getByRole('button', { name: '1 answer' }).click();
  await eventually(async () => expect(await answers()).toEqual(['First']));
  await panel.getByText('This message was deleted').waitFor();
  expect(anna.faults).toEqual([]);
});
