import { afterAll, beforeAll, expect, test } from 'vitest';
import { faultsOf } from '../../internal/testing/clients/axe.ts';
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

test('people react to a message, see who else does, and take reactions back', async () => {
  const [anna, ben] = [await ChatPage.guest(service.url, uniqueName('anna')), await service.client(uniqueName('ben'))];
  const room = await ben.joinRoom(uniqueName('room'));
  const { messageId } = await ben.send(room.id, 'Shall we go?');
  await anna.join(room.name);
  await anna.shows(['Shall we go?']);
  await anna.page.getByRole('button', { name: 'React: Shall we go?' }).click();
  await anna.page.getByRole('group', { name: 'Reactions' }).getByRole('button', { name: 'party' }).click();
  const party = (count: string) => anna.page.getByRole('button', { name: `🎉, ${count}` });
  await party('1 person').waitFor();
  expect(await party('1 person').getAttribute('aria-pressed')).toBe('true');

  await ben.react(room.id, messageId, '🎉');
  await ben.react(room.id, messageId, '❤️');
  await party('2 people').waitFor();
  await anna.page.getByRole('button', { name: '❤️, 1 person' }).waitFor();
  expect(await faultsOf(anna.page)).toEqual([]);
  await alignedWithBubble(anna, '.reactions');

  await party('2 people').click();
  await party('1 person').waitFor();
  expect(await party('1 person').getAttribute('aria-pressed')).toBe('false');
  // They are read with the history, and stay when the text is edited.
  await anna.page.reload();
  await party('1 person').waitFor();
  await ben.edit(room.id, messageId, 'Shall we go now?');
  await anna.shows(['Shall we go now?']);
  await party('1 person').waitFor();

  await ben.delete(room.id, messageId);
  await eventually(async () => expect(await anna.page.locator('.reaction').count()).toBe(0));
  expect(anna.faults).toEqual([]);
});

test('on a narrow page a long message has its width, and its actions do not leave the page', async () => {
  const [dora, emil] = [
    await ChatPage.guest(service.url, uniqueName('dora')),
    await service.client(uniqueName('emil')),
  ];
  const room = await emil.joinRoom(uniqueName('room'));
  await emil.send(room.id, 'The ferry goes at four, and the next one at nine in the morning.');
  await dora.join(room.name);
  await dora.shows(['The ferry goes at four, and the next one at nine in the morning.']);
  const width = 390;
  await dora.page.setViewportSize({ width, height: 844 });
  await dora.page.getByRole('button', { name: /^React: The ferry/ }).focus();
  const [bubble, actions] = await Promise.all(
    ['.bubble', '.message-actions'].map((part) => dora.page.locator(part).last().boundingBox()),
  );
  expect(bubble?.width).toBeGreaterThan(width * 0.6);
  expect(actions!.x).toBeGreaterThanOrEqual(0);
  expect(actions!.x + actions!.width).toBeLessThanOrEqual(width);
  await dora.page.getByRole('button', { name: /^React: The ferry/ }).click();
  await dora.page.getByRole('group', { name: 'Reactions' }).getByRole('button', { name: 'party' }).click();
  await dora.page.getByRole('button', { name: '🎉, 1 person' }).waitFor();
  expect(dora.faults).toEqual([]);
});

/** What stands under another user's message is in the column of the text, not in that of the avatar. */
async function alignedWithBubble({ page }: ChatPage, selector: string) {
  const [avatar, bubble, under] = await Promise.all(
    ['.bubble-avatar', '.bubble', selector].map((part) => page.locator(part).first().boundingBox()),
  );
  if (!avatar || !bubble || !under) {
    throw new Error(`A message without an avatar, its text, or ${selector}`);
  }
  const column = avatar.x + avatar.width;
  expect(bubble.x - column).toBeLessThan(avatar.width);
  expect(under.x).toBeGreaterThan(column);
}
