import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { BusyChat } from '../../service/delivery/busy-chats.ts';
import type { OpenStream } from '../../service/sessions/session-registry.ts';
import { newGroup, newRoom, say, signIn } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { stuckReader } from '../../testing/clients/stuck-reader.ts';
import { eventually } from '../../testing/eventually.ts';
import { type ConsoleService, newAdministrator, startConsole } from '../../testing/services/console-service.ts';
import { startTestService } from '../../testing/services/test-service.ts';

let admin: ConsoleService;
beforeAll(async () => {
  admin = await startConsole({ OUTBOX_BYTES: '65536' });
});
afterAll(() => admin.service.stop());

const person = (name: string) => signIn(admin.service.transport(), name);
const streams = async (query = '') => (await admin.get<{ streams: OpenStream[] }>(`streams${query}`)).streams;
const audited = async (action: string) => {
  const { events } = await admin.get<{ events: { action: string; detail: object }[] }>(
    `audit?actorId=${admin.adminId}`,
  );
  return events.find((event) => event.action === action);
};

test('every process that lives is listed, and one that has stopped is not', async () => {
  const other = await startTestService({ BUS_URL: 'postgres:' }, { dsn: admin.service.dsn });
  const nodes = async () => (await admin.get<{ nodes: { own: boolean }[] }>('nodes')).nodes;
  await eventually(async () => {
    expect((await nodes()).map(({ own }) => own).toSorted()).toEqual([false, true]);
    expect(await nodes()).toContainEqual(
      expect.objectContaining({ ready: true, pid: process.pid, roles: expect.any(Array) }),
    );
  });
  await other.stop();
  expect((await nodes()).map(({ own }) => own)).toEqual([true]);
});

test('a stream whose client does not read comes first, and can be closed', async () => {
  const quick = await (await person('quick')).connect();
  const { reader, person: slow } = await stuckReader(
    admin.service,
    'slow',
    () => admin.service.app.sessions.queuedBytes,
  );
  const closed = new Promise((resolve) => reader.call.once('status', resolve));
  const [first] = await streams();
  expect(first).toMatchObject({ userId: slow.id, transport: 'grpc', subscriptions: 1 });
  expect(first!.waitingBytes).toBeGreaterThan(0);
  await admin.post(`streams/${first!.id}/close`, { reason: 'it does not read' });
  await eventually(async () => expect(await streams(`?userId=${slow.id}`)).toEqual([]));
  reader.call.resume();
  await closed;
  expect(await audited('stream.close')).toMatchObject({
    actorId: admin.adminId,
    detail: { stream_id: first!.id, user_id: slow.id, reason: 'it does not read' },
  });
  await expect(admin.post(`streams/${first!.id}/close`)).rejects.toThrow('404: this process has no such stream');
  quick.close();
});

test('a ban ends the streams of the user, is listed and audited, and can be lifted', async () => {
  const mallory = await person('mallory');
  const stream = await mallory.connect();
  await expect(admin.post(`users/${mallory.id}/ban`)).rejects.toThrow('400: reason is required');
  await admin.post(`users/${mallory.id}/ban`, { reason: 'spam' });
  expect(await stream.ended).toMatchObject({ reason: 'BANNED' });
  const bans = () => admin.get('bans');
  expect(await bans()).toMatchObject({
    bans: [{ user: { id: mallory.id }, bannedBy: { id: admin.adminId }, reason: 'spam' }],
  });
  expect(await audited('user.ban')).toMatchObject({ actorId: admin.adminId });
  await admin.post(`users/${mallory.id}/unban`);
  expect(await bans()).toMatchObject({ bans: [] });
});

test('users are found by the beginning of their id and name, with their chats', async () => {
  const alice = await person('Alice_5');
  const other = await person('Alice-5');
  const group = await newGroup(alice);
  for (const each of [alice, other]) {
    const stream = await each.connect();
    onTestFinished(() => stream.close());
  }
  const find = async (prefix: string) => {
    const { users } = await admin.get<{ users: { id: string }[] }>(`users?prefix=${encodeURIComponent(prefix)}`);
    return users.map(({ id }) => id);
  };
  expect(await find('ALICE_5')).toEqual([alice.id]);
  expect(await find(alice.id.slice(0, 12))).toContain(alice.id);
  expect(await find('alice%')).toEqual([]);
  expect(await find('lice_5')).toEqual([]);
  await expect(find('')).rejects.toThrow('400: prefix is required');
  expect(await admin.get(`users/${alice.id}`)).toMatchObject({
    chats: [{ id: group.id, memberCount: 1 }],
    sessions: [],
  });
});

test('sign-in sessions are listed and revoked, which the audit log has', async () => {
  const { username, password } = await newAdministrator(admin.service);
  const { auth } = admin.service.transport();
  const { accessToken } = await auth.login({ username, password }, {});
  const { sessions } = await admin.get<{ sessions: { id: string }[] }>(`users/${username}`);
  expect(sessions.length).toBe(2);
  const revoke = (body: object) => admin.post(`users/${username}/revoke-sessions`, { reason: 'lost phone', ...body });
  expect(await revoke({ sessionId: sessions[1]!.id })).toEqual({ ended: 1 });
  expect(await revoke({})).toEqual({ ended: 1 });
  await expect(auth.getMe({}, { token: accessToken })).rejects.toMatchObject({ reason: 'SESSION_REVOKED' });
  expect(await audited('sessions.revoke')).toMatchObject({ detail: { user_id: username, reason: 'lost phone' } });
});

test('the busiest chats come first, and rooms are found by name', async () => {
  const alice = await person('alice');
  const [busy, calm] = [await newRoom(alice), await newRoom(alice)];
  const stream = await alice.connect();
  onTestFinished(() => stream.close());
  for (const { id } of [calm, busy]) await stream.ask(commands.subscribe(id, 0));
  await eventually(async () => {
    for (let i = 0; i < 10; i += 1) await say(alice, busy, 'hello');
    const { chats } = await admin.get<{ chats: BusyChat[] }>('chats');
    expect(chats[0]).toMatchObject({ chatId: busy.id, readers: 1 });
    expect(chats[0]!.perMinute).toBeGreaterThan(0);
  });
  expect(await admin.get(`rooms?name=${busy.name}`)).toMatchObject({ rooms: [{ id: busy.id }] });
});

test('moderators ban members from a chat and delete it, by their own right as administrators', async () => {
  const [alice, bob] = [await person('alice'), await person('bob')];
  const group = await newGroup(alice, bob);
  const chat = () => admin.get<{ members: { user: { id: string } }[] }>(`chats/${group.id}`);
  expect((await chat()).members.map(({ user }) => user.id).toSorted()).toEqual([alice.id, bob.id].toSorted());
  await admin.post(`chats/${group.id}/ban`, { userId: bob.id, reason: 'spam' });
  expect((await chat()).members.map(({ user }) => user.id)).toEqual([alice.id]);
  expect(await audited('members.ban')).toMatchObject({ chatId: group.id });
  await admin.post(`chats/${group.id}/delete`);
  await expect(chat()).rejects.toThrow('404');
  expect(await audited('chat.delete')).toBeDefined();
});

test('the audit log is paged, newest first', async () => {
  const page = (token = '') =>
    admin.get<{ events: { id: string }[]; nextPageToken: string }>(`audit?pageToken=${encodeURIComponent(token)}`);
  const alice = await person('alice');
  for (let i = 0; i < 60; i += 1) await newGroup(alice);
  const first = await page();
  const second = await page(first.nextPageToken);
  const ids = [...first.events, ...second.events].map(({ id }) => Number(id));
  expect(ids.length).toBeGreaterThan(60);
  expect(ids).toEqual(ids.toSorted((a, b) => b - a));
});
