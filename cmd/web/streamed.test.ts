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

/** Anna's page in a room in which a bot writes. */
async function setUp() {
  const [anna, bot] = await Promise.all([
    ChatPage.guest(service.url, uniqueName('anna')),
    service.client(uniqueName('bot')),
  ]);
  const room = await bot.joinRoom(uniqueName('room'));
  await anna.join(room.name);
  return { anna, bot, room };
}

test('a message grows in its place with a cursor, and is announced when it is complete', async () => {
  const { anna, bot, room } = await setUp();
  const pen = bot.stream(room.id).getWriter();
  await pen.write('Once');
  await anna.shows(['Once']);
  await anna.page.locator('.growing-cursor').waitFor();
  await pen.write(' upon');
  await anna.shows(['Once upon']);
  expect(await anna.page.getByTestId('announcer').innerText()).not.toContain('Once');
  await pen.write(' a time');
  await pen.close();
  await anna.shows(['Once upon a time']);
  await eventually(async () => expect(await anna.page.locator('.growing-cursor').count()).toBe(0));
  await eventually(async () =>
    expect(await anna.page.getByTestId('announcer').innerText()).toContain('Once upon a time'),
  );
  await anna.listed(room.name).getByText('Once upon a time').waitFor();
  expect(anna.faults).toEqual([]);
});

test('who opens the chat in between sees the text so far, and the rest as it comes', async () => {
  const { anna, bot, room } = await setUp();
  await anna.join(uniqueName('elsewhere'));
  const pen = bot.stream(room.id, { text: 'Once' }).getWriter();
  await pen.write(' upon');
  await anna.listed(room.name).click();
  await anna.shows(['Once upon']);
  await pen.write(' a time');
  await anna.shows(['Once upon a time']);
  await pen.close();
});

test('the button Stop asks the sender, and the message says that it was stopped', async () => {
  const { anna, bot, room } = await setUp();
  const stream = bot.stream(room.id, { text: 'On and' });
  await stream.started;
  await anna.page.getByRole('button', { name: /^Stop: bot/ }).click();
  await eventually(() => expect(stream.stopRequested.aborted).toBe(true));
  await stream.abort();
  await anna.page.locator('.bubble').getByText('stopped').waitFor();
  expect(await anna.page.getByRole('button', { name: /^Stop/ }).count()).toBe(0);
  await anna.shows(['On and']);
  expect(anna.faults).toEqual([]);
});
