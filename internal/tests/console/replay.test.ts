import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram } from '../../../cmd/admin/testing/run-program.ts';
import { builtPage } from '../../../cmd/web/testing/built-page.ts';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { faultsOf } from '../../testing/clients/axe.ts';
import { openPage } from '../../testing/clients/browser.ts';
import { consume, eventsOf, expectExported, readExported } from '../../testing/clients/exported-events.ts';
import { newGroup, sayAll, signIn } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { type ConsoleService, startConsole } from '../../testing/services/console-service.ts';

let nats: ServerProcess;
let admin: ConsoleService;
beforeAll(async () => {
  nats = await startNats();
  [admin] = await Promise.all([startConsole({ EXPORT: 'jetstream', NATS_URL: url() }), builtPage()]);
});
afterAll(async () => {
  await admin.service.stop();
  await nats.stop();
});

const url = () => `nats://127.0.0.1:${nats.port}`;

/** A chat with the numbers 1 to 10, which are all exported. */
async function exportedChat() {
  const alice = await signIn(admin.service.transport(), 'alice');
  const group = await newGroup(alice);
  await sayAll(alice, [group], 2, 10);
  await expectExported(url(), [group], 10);
  return group;
}

const expectNumbers = (chat: { id: string }, numbers: number[]) =>
  eventually(async () => expect(eventsOf(await readExported(url()), chat).map(({ seq }) => seq)).toEqual(numbers));

const first = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

test('a replay by command delivers the numbers again, which a consumer drops unless it has gone back', async () => {
  const chat = await exportedChat();
  const before = await consume(url());
  const options = ['--sink', 'jetstream', '--chat', chat.id, '--reason', 'a lost index'];
  const replay = (from: string, ...more: string[]) =>
    runProgram(['replay', ...options, '--from', from, '--url', admin.url, ...more], {
      ADMIN_ACCESS_TOKEN: admin.token,
    });
  expect(await replay('8')).toMatchObject({
    code: 0,
    stdout: 'numbers 8 to 10 are delivered again; their message ids end in :r1\n',
  });
  await expectNumbers(chat, [...first, 8, 9, 10]);
  expect(await consume(url())).toEqual(before);
  expect(JSON.parse((await replay('2020-01-01T00:00:00Z', '--json')).stdout)).toEqual({
    fromSeq: 1,
    toSeq: 10,
    replay: 2,
  });
  await expectNumbers(chat, [...first, 8, 9, 10, ...first]);
  const ids = eventsOf(await readExported(url()), chat).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);

  expect(await replay('11')).toMatchObject({ code: 1, stderr: expect.stringContaining('from is after everything') });
  expect(await replay('soon')).toMatchObject({ code: 1, stderr: expect.stringContaining('from must be a number') });
  const audited = await admin.get<{ events: object[] }>(`audit?chatId=${chat.id}`);
  expect(audited.events).toContainEqual(
    expect.objectContaining({
      action: 'export.replay',
      actorId: admin.adminId,
      detail: { sink: 'jetstream', from_seq: 8, to_seq: 10, replay: 1, reason: 'a lost index' },
    }),
  );
});

test('after a replay the relay goes on with what is new, once', async () => {
  const alice = await signIn(admin.service.transport(), 'alice');
  const group = await newGroup(alice);
  await sayAll(alice, [group], 2, 4);
  await expectExported(url(), [group], 4);
  await admin.post('sinks/jetstream/replay', { chatId: group.id, from: '3', reason: 'a try' });
  await sayAll(alice, [group], 5, 6);
  await expectNumbers(group, [1, 2, 3, 4, 3, 4, 5, 6]);
});

test('an administrator replays a chat on the page', async () => {
  const chat = await exportedChat();
  const { page, faults } = await openPage();
  page.setDefaultTimeout(60_000);
  await page.goto(`${admin.url}/admin/#/background`);
  await page.getByText('Use an access token instead').click();
  await page.getByLabel('Access token').fill(admin.token);
  await page.getByRole('button', { name: 'Use the token' }).click();
  await page.getByRole('button', { name: 'Replay a chat to jetstream' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await dialog.getByLabel('Id of the chat').fill(chat.id);
  await dialog.getByLabel('From').fill('9');
  await dialog.getByLabel('Reason').fill('a lost index');
  await dialog.getByRole('button', { name: 'Replay' }).click();
  await dialog.getByText('Numbers 9 to 10 are delivered again. Their message ids end in :r1.').waitFor();
  await expectNumbers(chat, [...first, 9, 10]);
  expect(faults).toEqual([]);
});
