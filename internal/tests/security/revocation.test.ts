import { randomUUID } from 'node:crypto';
import { type StatusObject, status } from '@grpc/grpc-js';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { CloseReason, ConnectChatRequest, ConnectChatResponse } from '../../../pkg/api/chat/v1/chat.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { newGroup, type Person, personOf, say, signIn, uniqueName } from '../../testing/clients/person.ts';
import { RawClient } from '../../testing/clients/raw-client.ts';
import { commands, type EventBody } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

/** Two nodes on one database. */
let [here, there]: [TestService, TestService] = [] as never;
let admin: Person;
beforeAll(async () => {
  here = await startTestService();
  there = await startTestService({}, { dsn: here.dsn });
  const { token } = await issueToken(here.dsn, { userId: 'root', roles: ['admin'] });
  admin = personOf(here.transport(), { id: 'root', name: 'root', token });
});
afterAll(() => Promise.all([here.stop(), there.stop()]));

interface Account {
  username: string;
  password: string;
  userId: string;
  accessToken: string;
  refreshToken: string;
  sessionId: string;
}

async function register(transport: Transport): Promise<Account> {
  const [username, password] = [uniqueName('user'), randomUUID()];
  return { username, password, ...(await transport.auth.register({ username, password, name: '' }, {})) };
}

const bearer = (service: TestService, { userId, accessToken }: Account): Person =>
  personOf(service.transport(), { id: userId, name: userId, token: accessToken });

/** Opens a stream on each node, which reads a chat in which another user writes until `stop` is called. */
async function readers(account: Account) {
  const writer = await signIn(here.transport(), 'writer');
  const group = await newGroup(writer, bearer(here, account));
  const streams = await Promise.all([here, there].map((service) => bearer(service, account).connect()));
  for (const stream of streams) await stream.ask(commands.subscribe(group.id));
  let writing = true;
  onTestFinished(() => {
    writing = false;
  });
  const written = (async () => {
    while (writing) await say(writer, group, 'text');
  })();
  await Promise.all(streams.map((stream) => stream.until(() => stream.messages(group.id).length > 5)));
  const stop = async () => {
    writing = false;
    await written;
  };
  return { group, streams, stop };
}

async function expectShutOut(account: Account, reason: 'SESSION_REVOKED' | 'BANNED'): Promise<void> {
  const refused = { code: reason === 'BANNED' ? 'PERMISSION_DENIED' : 'UNAUTHENTICATED', reason };
  for (const service of [here, there]) {
    const person = bearer(service, account);
    await expect(person.chat.listChats({})).rejects.toMatchObject(refused);
    await expect(person.chat.listRooms({})).rejects.toMatchObject(refused);
    const stream = person.open();
    expect(await stream.ended).toMatchObject(refused);
    expect(stream.events).toEqual([]);
  }
}

describe('delivery ends on every node, and calls are refused, after', () => {
  const withPassword = (account: Account) => ({
    currentPassword: account.password,
    newPassword: randomUUID(),
  });
  const another = async ({ username, password }: Account) =>
    (await there.transport().auth.login({ username, password }, {})).accessToken;

  test.each<[string, 'SESSION_REVOKED' | 'BANNED', (account: Account) => Promise<unknown>]>([
    ['logout', 'SESSION_REVOKED', ({ accessToken: token }) => there.transport().auth.logout({}, { token })],
    [
      'the session’s revocation from another device',
      'SESSION_REVOKED',
      async (account) => {
        const token = await another(account);
        await there.transport().auth.revokeSession({ sessionId: account.sessionId }, { token });
      },
    ],
    [
      'a change of the password on another device',
      'SESSION_REVOKED',
      async (account) => {
        const token = await another(account);
        await there.transport().auth.changePassword(withPassword(account), { token });
        // The device that changed the password stays signed in.
        await there.transport().chat.listChats({}, { token });
      },
    ],
    [
      'a refresh token is used twice',
      'SESSION_REVOKED',
      async ({ refreshToken }) => {
        await there.transport().auth.refresh({ refreshToken }, {});
        await expect(there.transport().auth.refresh({ refreshToken }, {})).rejects.toMatchObject({
          reason: 'REFRESH_TOKEN_REUSED',
        });
      },
    ],
    ['a ban', 'BANNED', ({ userId }) => admin.chat.banUser({ userId, reason: 'spam' })],
  ])('%s', async (_, reason, end) => {
    const account = await register(here.transport());
    const { group, streams, stop } = await readers(account);

    await end(account);

    const errors = await Promise.all(streams.map(({ ended }) => ended));
    for (const [i, stream] of streams.entries()) {
      expect(errors[i]).toMatchObject({ reason });
      expect(stream.events.at(-1)).toMatchObject({ $case: 'closing', value: { reason: CloseReason[reason] } });
    }
    const counts = streams.map((stream) => stream.messages(group.id).length);
    await expectShutOut(account, reason);
    await stop();
    expect(streams.map((stream) => stream.messages(group.id).length)).toEqual(counts);
  });
});

test('a node enforces a logout or a ban before it answers', async () => {
  for (let i = 0; i < 5; i += 1) {
    const [one, other] = [await register(here.transport()), await register(here.transport())];
    await here.transport().auth.logout({}, { token: one.accessToken });
    await expect(bearer(here, one).chat.listChats({})).rejects.toMatchObject({ reason: 'SESSION_REVOKED' });
    await admin.chat.banUser({ userId: other.userId });
    await expect(bearer(here, other).chat.listChats({})).rejects.toMatchObject({ reason: 'BANNED' });
    await admin.chat.unbanUser({ userId: other.userId });
    await bearer(here, other).chat.listChats({});
  }
});

test('a ban and the end of a session whose commits take many minutes are enforced on every node once they are committed', async () => {
  const [banned, ended, noticed] = await Promise.all([1, 2, 3].map(() => register(here.transport())));
  const open = async (account: Account | undefined) =>
    Promise.all([here, there].map((service) => bearer(service, account!).connect()));
  const [bannedStreams, endedStreams] = [await open(banned), await open(ended)];
  const late = new pg.Client({ connectionString: here.dsn });
  await late.connect();
  onTestFinished(() => late.end());
  await late.query('begin');
  const tenMinutesAgo = new Date(Date.now() - 600_000);
  await late.query(`insert into user_bans (user_id, banned_by, reason, changed_at) values ($1, 'root', '', $2)`, [
    banned!.userId,
    tenMinutesAgo,
  ]);
  await late.query(`update auth.sessions set ended_at = $2, end_reason = 'REVOKED' where id = $1`, [
    ended!.sessionId,
    tenMinutesAgo,
  ]);
  // Both nodes have read on meanwhile: they know of a later ban.
  await admin.chat.banUser({ userId: noticed!.userId });
  for (const service of [here, there]) {
    await eventually(() =>
      expect(bearer(service, noticed!).chat.listChats({})).rejects.toMatchObject({ reason: 'BANNED' }),
    );
  }
  for (const stream of [...bannedStreams, ...endedStreams]) {
    expect(await stream.ask(commands.ping())).toMatchObject({ $case: 'pong' });
  }

  await late.query('commit');

  for (const stream of bannedStreams) expect(await stream.ended).toMatchObject({ reason: 'BANNED' });
  for (const stream of endedStreams) expect(await stream.ended).toMatchObject({ reason: 'SESSION_REVOKED' });
});

test('the end of one session leaves the user’s other sessions open', async () => {
  const account = await register(here.transport());
  const { username, password } = account;
  const login = await here.transport().auth.login({ username, password }, {});
  const kept = await bearer(there, { ...account, accessToken: login.accessToken }).connect();
  const lost = await bearer(there, account).connect();
  await here.transport().auth.logout({}, { token: account.accessToken });
  expect(await lost.ended).toMatchObject({ reason: 'SESSION_REVOKED' });
  expect(await kept.ask(commands.ping())).toMatchObject({ $case: 'pong' });
  // A stream does not accept the token of an ended session.
  expect(await kept.ask(commands.authenticate(account.accessToken))).toMatchObject({ $case: 'rejected' });
  kept.close();
});

test('a user has access on every node again when their ban is lifted or expires', async () => {
  const [lifted, over] = [await register(here.transport()), await register(there.transport())];
  await admin.chat.banUser({ userId: lifted.userId });
  await admin.chat.banUser({ userId: over.userId, expiresAt: new Date(Date.now() + 1_500) });
  for (const account of [lifted, over]) {
    await eventually(() =>
      expect(bearer(there, account).chat.listChats({})).rejects.toMatchObject({ reason: 'BANNED' }),
    );
  }
  await admin.chat.unbanUser({ userId: lifted.userId });
  for (const service of [here, there]) {
    for (const account of [lifted, over]) {
      await eventually(() => expect(bearer(service, account).chat.listChats({})).resolves.toBeDefined());
      const stream = await bearer(service, account).connect();
      stream.close();
    }
  }
});

test('a banned guest stays banned with a new token', async () => {
  const guest = await signIn(here.transport(), 'guest');
  const stream = await guest.connect();
  await admin.chat.banUser({ userId: guest.id });
  expect(await stream.ended).toMatchObject({ reason: 'BANNED' });
  const { token } = await issueToken(here.dsn, { userId: guest.id });
  const again = personOf(here.transport(), { ...guest, token });
  await expect(again.chat.listChats({})).rejects.toMatchObject({ reason: 'BANNED' });
});

test('a banned reader who does not read goes offline, and their queued events are dropped', async () => {
  const account = await register(here.transport());
  const writer = await signIn(here.transport(), 'writer');
  const group = await newGroup(writer, bearer(here, account));
  const call = new RawClient(here.address).connect(account.accessToken);
  const events: EventBody[] = [];
  call.on('data', (frame: Buffer) => {
    for (const { event } of ConnectChatResponse.decode(frame).events) if (event) events.push(event);
  });
  call.pause();
  const command = { commandId: '', command: commands.subscribe(group.id, 0) };
  call.write(ConnectChatRequest.encode({ commands: [command] }).finish());
  // The client does not read yet: the connection's buffers fill first, then events are queued.
  let sent = 0;
  for (let held = 0; held < 3; held = here.app.sessions.queuedBytes > 0 ? held + 1 : 0) {
    await Promise.all(Array.from({ length: 50 }, () => say(writer, group, 'x'.repeat(4_000))));
    sent += 50;
  }
  const isOnline = async () => {
    const { users } = await writer.chat.listOnlineUsers({ chatId: group.id });
    return users.some(({ id }) => id === account.userId);
  };
  expect(await isOnline()).toBe(true);

  await admin.chat.banUser({ userId: account.userId });

  expect(here.app.sessions.queuedBytes).toBeLessThan(1_000);
  await eventually(async () => expect(await isOnline()).toBe(false));
  const ended = new Promise<StatusObject>((resolve) => call.on('status', resolve));
  call.resume();
  expect(await ended).toMatchObject({ code: status.PERMISSION_DENIED });
  expect(events.filter(({ $case }) => $case === 'message').length).toBeLessThan(sent);
  call.cancel();
});
