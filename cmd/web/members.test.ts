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

test('a group is made, a member gets another role and is removed, and the owner leaves', async () => {
  const name = uniqueName('ben');
  const [anna, ben] = await Promise.all([
    ChatPage.guest(service.url, uniqueName('anna')),
    ChatPage.guest(service.url, name),
  ]);
  await anna.page.getByRole('button', { name: 'Start a chat' }).first().click();
  await anna.page.getByRole('tab', { name: 'Group' }).click();
  await anna.page.getByLabel('Title').fill('Lighthouse');
  await anna.page.locator('.choice').filter({ hasText: name }).click();
  await anna.page.getByRole('button', { name: 'Create the group' }).click();
  await anna.title('Lighthouse').waitFor();
  await ben.listed('Lighthouse').click();
  await ben.page
    .getByText(/started the chat/)
    .last()
    .waitFor();

  await anna.page.getByRole('button', { name: 'Members' }).click();
  await anna.page.getByLabel(`Role of ${name}`).selectOption('Administrator');
  await ben.page.getByText(`made ${name} an administrator`).last().waitFor();
  await ben.page.getByRole('button', { name: 'Members' }).click();
  await ben.page.getByPlaceholder('User id, guest:name for guests').waitFor();
  await eventually(async () =>
    expect(await ben.page.locator('.role').allInnerTexts()).toEqual(['Owner', 'Administrator']),
  );

  await anna.page.getByText('2 members, 2 online').waitFor();
  await anna.page.getByRole('button', { name: `Remove ${name}` }).click();
  await ben.page.getByText('You are not in this chat.').waitFor();
  await ben.listed('Lighthouse').waitFor({ state: 'detached' });
  await anna.page.getByText('1 member', { exact: true }).waitFor();

  await anna.page.getByRole('button', { name: 'Leave this chat' }).click();
  await anna.page.getByRole('button', { name: 'Leave', exact: true }).click();
  await anna.listed('Lighthouse').waitFor({ state: 'detached' });
  expect([...anna.faults, ...ben.faults]).toEqual([]);
});

test('what is refused is said in the dialog', async () => {
  const anna = await ChatPage.guest(service.url, uniqueName('anna'));
  await anna.page.getByRole('button', { name: 'Start a chat' }).first().click();
  await anna.page.getByLabel('Room', { exact: true }).fill('not a name!');
  await anna.page.getByRole('button', { name: 'Create “not a name!”' }).click();
  await anna.page.getByRole('dialog').getByRole('alert').filter({ hasText: /\w/ }).waitFor();
});
