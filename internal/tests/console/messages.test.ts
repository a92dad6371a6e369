import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { runProgram } from '../../../cmd/admin/testing/run-program.ts';
import { builtPage } from '../../../cmd/web/testing/built-page.ts';
import { faultsOf } from '../../testing/clients/axe.ts';
import { openPage } from '../../testing/clients/browser.ts';
import { newGroup, say, sayAll, signIn } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { type ConsoleService, startConsole } from '../../testing/services/console-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

let admin: ConsoleService;
beforeAll(async () => {
  [admin] = await Promise.all([startConsole(), builtPage()]);
});
afterAll(() => admin.service.stop());

interface Look {
  messages: { id: string; seq: number; text: string; deleted?: { by: string } }[];
  hasMore: boolean;
}

const look = (chatId: string, body: object = {}) => admin.post<Look>(`chats/${chatId}/look`, body);
const auditOf = async (chatId: string) => {
  const { events } = await admin.get<{ events: { action: string; actorId: string; detail: object | null }[] }>(
    `audit?chatId=${chatId}`,
  );
  return events.map(({ action, actorId, detail }) => ({ action, actorId, detail: detail ?? {} }));
};
const signedIn = (name: string) => signIn(admin.service.transport(), name);

test('an administrator who is no member sees the newest messages, page by page, and each look is audited', async () => {
  const group = await newGroup(await signedIn('alice'));
  const alice = await signedIn('bob');
  const other = await newGroup(alice);
  await sayAll(alice, [other], 2, 60);
  const newest = await look(other.id);
  expect([newest.messages.map(({ seq }) => seq), newest.hasMore]).toEqual([range(11, 60), true]);
  expect(newest.messages.at(-1)).toMatchObject({ text: 'text 60', sender: { id: alice.id } });
  const older = await look(other.id, { beforeSeq: '11' });
  expect([older.messages.map(({ seq }) => seq), older.hasMore]).toEqual([range(1, 10), false]);
  const looks = { action: 'messages.look', actorId: admin.adminId };
  expect((await auditOf(other.id)).filter(({ action }) => action === 'messages.look')).toEqual([
    { ...looks, detail: { before_seq: 11 } },
    { ...looks, detail: {} },
  ]);
  expect((await auditOf(group.id)).map(({ action }) => action)).not.toContain('messages.look');
  await expect(look(other.id, { beforeSeq: 'x' })).rejects.toThrow('400: beforeSeq must be a number from 1');
  await expect(look('nowhere')).rejects.toThrow('400: id must be the id of a chat, a UUID');
  await expect(look(crypto.randomUUID())).rejects.toThrow('404');
});

test('nobody looks at messages without the role, or where it is turned off', async () => {
  const closed = await startConsole({ ADMIN_SHOW_MESSAGES: 'false' });
  onTestFinished(() => closed.service.stop());
  const alice = await signIn(closed.service.transport(), 'alice');
  const group = await newGroup(alice);
  await expect(closed.post(`chats/${group.id}/look`)).rejects.toThrow('403');
  const { events } = await closed.get<{ events: { action: string }[] }>(`audit?chatId=${group.id}`);
  expect(events.map(({ action }) => action)).not.toContain('messages.look');
  const { token } = await issueToken(admin.service.dsn, { userId: 'alice', roles: ['user', 'service'] });
  const asService = await fetch(`${admin.url}/admin/api/chats/${group.id}/look`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{}',
  });
  expect(asService.status).toBe(403);
});

test('a deletion with a reason reaches the readers, takes the text away for good, and is audited', async () => {
  const alice = await signedIn('alice');
  const group = await newGroup(alice);
  const { messageId } = await say(alice, group, 'an insult');
  const stream = await alice.connect();
  onTestFinished(() => stream.close());
  await stream.ask(commands.subscribe(group.id, 2));
  const path = `chats/${group.id}/messages/${messageId}/delete`;
  await expect(admin.post(path)).rejects.toThrow('400: reason is required');
  await admin.post(path, { reason: 'an insult' });
  const changed = await stream.nextOf('messageChanged');
  expect(changed).toMatchObject({ message: { id: messageId, text: '', deletedBy: admin.adminId } });
  expect((await look(group.id)).messages.at(-1)).toMatchObject({ text: '', deleted: { by: admin.adminId } });
  expect(await auditOf(group.id)).toContainEqual({
    action: 'message.delete',
    actorId: admin.adminId,
    detail: { message_id: messageId, sender_id: alice.id, reason: 'an insult' },
  });
});

test('messages are shown and deleted by command, and no text acts on the terminal', async () => {
  const alice = await signedIn('alice');
  const group = await newGroup(alice);
  const { messageId } = await say(alice, group, 'red \u001b[31m \u009btext');
  const run = (...args: string[]) => runProgram([...args, '--url', admin.url], { ADMIN_ACCESS_TOKEN: admin.token });
  const { stdout } = await run('messages', '--chat', group.id);
  expect(stdout).toMatch(new RegExp(`^NUMBER .*\\n1 .*\\(chat_created\\)\\n2 +${messageId} `));
  expect(stdout).toContain('"red \\u001b[31m \\u009btext"');
  const message = ['--chat', group.id, '--message', messageId];
  expect(await run('delete-message', ...message)).toMatchObject({ code: 1, stderr: 'error: --reason must be given\n' });
  expect(await run('delete-message', ...message, '--reason', 'spam')).toMatchObject({ code: 0, stdout: 'done\n' });
  expect((await run('messages', '--chat', group.id)).stdout).toContain(`(deleted by ${admin.adminId})`);
});

test('an administrator deletes a message on the page, which reads none by itself', async () => {
  const alice = await signedIn('alice');
  const group = await newGroup(alice);
  await say(alice, group, 'an insult');
  const { page, faults } = await openPage();
  page.setDefaultTimeout(60_000);
  await page.goto(`${admin.url}/admin/#/chats`);
  await page.getByText('Use an access token instead').click();
  await page.getByLabel('Access token').fill(admin.token);
  await page.getByRole('button', { name: 'Use the token' }).click();
  await page.getByLabel('Id of a chat, or name of a room').fill(group.id);
  await page.keyboard.press('Enter');
  const button = page.getByRole('button', { name: 'Show the newest' });
  await button.waitFor();
  expect((await auditOf(group.id)).map(({ action }) => action)).not.toContain('messages.look');
  await button.click();
  const row = page.getByRole('row').filter({ hasText: 'an insult' });
  await row.waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await row.getByRole('button', { name: 'Delete message 2' }).click();
  await page.getByLabel('Reason').fill('spam');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText(`deleted by ${admin.adminId}`).waitFor();
  expect(await row.count()).toBe(0);
  expect(faults).toEqual([]);
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
