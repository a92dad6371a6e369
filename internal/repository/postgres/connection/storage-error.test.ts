import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Chat } from '../../../model/chat.ts';
import { ChatError } from '../../../model/errors.ts';
import { startTcpProxy } from '../../../testing/faults/tcp-proxy.ts';
import { newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import { PostgresChatRepository } from '../chats/postgres-chat-repository.ts';
import { PostgresMembershipRepository } from '../members/postgres-membership-repository.ts';
import { PostgresMessageRepository } from '../messages/postgres-message-repository.ts';
import { PostgresUserRepository } from '../users/postgres-user-repository.ts';
import { createDatabase } from './database.ts';
import { isTransient, withMessageErrors, withStorageErrors } from './storage-error.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

/** An error as PostgreSQL sends it. */
function refusal(statement: string): Promise<unknown> {
  return storage.database.pool.query(statement).then(
    () => expect.unreachable(),
    (error) => error,
  );
}

describe('a failure is taken for "try again later"', () => {
  test.each([
    ['a serialization failure', '40001'],
    ['a deadlock', '40P01'],
    ['a lock that could not be had in time', '55P03'],
    ['a statement that took too long', '57014'],
    ['a server that is being shut down', '57P01'],
    ['a server that crashed', '57P02'],
    ['a server that is starting', '57P03'],
    ['too many connections', '53300'],
    ['a full disk', '53100'],
    ['a standby that takes no writes', '25006'],
    ['a connection failure', '08006'],
  ])('when PostgreSQL reports %s', async (_, state) => {
    expect(isTransient(await refusal(`do $$ begin raise exception 'x' using errcode = '${state}'; end $$`))).toBe(true);
  });

  test.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN'])(
    'when Node reports %s',
    (code) => {
      expect(isTransient(Object.assign(new Error(`write ${code}`), { code }))).toBe(true);
      // Several addresses of one name, each refused for itself: the message is empty.
      expect(isTransient(Object.assign(new AggregateError([new Error(code)]), { code }))).toBe(true);
    },
  );

  test('when no server listens there', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, 'close');
    const socket = connect(port, '127.0.0.1');
    const [error] = await once(socket, 'error').catch((error) => [error]);
    expect(isTransient(error)).toBe(true);
  });
});

describe('a failure is taken for a fault of ours', () => {
  test.each([
    ['a text that PostgreSQL cannot hold', `select E'\\x00'`],
    ['a broken rule', `insert into chats (id, type, created_by) values (gen_random_uuid(), 'NONE', '')`],
    ['a table that is not there', 'select * from nothing'],
    ['nonsense', 'select'.slice(1)],
  ])('when it is %s', async (_, statement) => {
    expect(isTransient(await refusal(statement))).toBe(false);
  });

  test('when it is not even an error', () => {
    expect(isTransient('ECONNREFUSED')).toBe(false);
    expect(isTransient(undefined)).toBe(false);
  });
});

describe('a statement that writes messages', () => {
  const write = (error: unknown) => withMessageErrors(() => Promise.reject(error));
  const raise = (state: string, constraint = '') =>
    `do $$ begin raise exception 'x' using errcode = '${state}', constraint = '${constraint}'; end $$`;

  test.each([
    ['a text that PostgreSQL cannot hold', `select E'\\x00'`],
    ['an id that is no UUID', `select 'x'::uuid`],
    ['the id of another message of the chat', raise('23505', 'messages_id')],
  ])('fails by the fault of a message for %s', async (_, statement) => {
    const error = await refusal(statement);
    await expect(write(error)).rejects.toMatchObject({ reason: 'INVALID_FIELDS', cause: error });
  });

  test.each([
    ['a table that is not there', 'select * from nothing'],
    ['a column that is not there', 'select nothing from chats'],
    ['a function that is not there', 'select nothing()'],
    ['a type that was changed', raise('42804')],
    ['a right that is missing', raise('42501')],
    ['a number that is taken', raise('23505', 'messages_pkey')],
    ['a constraint that is not known', raise('23514', 'added_by_the_operator')],
    ['a value that is missing', raise('23502')],
    ['an error of a trigger', raise('P0001')],
    ['a full disk', raise('53100')],
    ['an error of the disk', raise('58030')],
    ['an error inside PostgreSQL', raise('XX000')],
    ['a cached plan that does not fit', raise('0A000')],
    ['a state that nobody knows', raise('ZZ999')],
  ])('may work later after %s', async (_, statement) => {
    const cause = await refusal(statement);
    await expect(write(cause)).rejects.toMatchObject({ reason: 'STORAGE_UNAVAILABLE', cause });
  });

  test('may work later after an error that is not PostgreSQL’s', async () => {
    const cause = new TypeError('x');
    await expect(write(cause)).rejects.toMatchObject({ reason: 'STORAGE_UNAVAILABLE', cause });
  });
});

test('a refusal is thrown unchanged, also when it repeats words of the caller that look like a failure', async () => {
  await expect(storage.chats.joinRoom('ECONNRESET', user('alice'))).rejects.toMatchObject({ reason: 'ROOM_NOT_FOUND' });
  const refused = new ChatError('ROOM_EXISTS', 'there is a room "Connection terminated" already');
  await expect(withStorageErrors(() => Promise.reject(refused))).rejects.toBe(refused);
});

test('the error says when to try again and keeps the cause for the log', async () => {
  const cause = Object.assign(new Error('x'), { code: 'ECONNRESET' });
  await expect(withStorageErrors(() => Promise.reject(cause))).rejects.toMatchObject({
    reason: 'STORAGE_UNAVAILABLE',
    retryAfterMs: expect.any(Number),
    cause,
  });
});

// Each test has users of its own: concurrent changes of one user's memberships wait for each other.
describe.concurrent('when the network to the database', () => {
  async function proxied(statementTimeoutMs: number) {
    const proxy = await startTcpProxy(storage.dsn);
    const database = createDatabase({ dsn: proxy.dsn, poolSize: 2, statementTimeoutMs, onError: () => {} });
    const users = new PostgresUserRepository(database);
    const repositories = {
      chats: new PostgresChatRepository({ database, users }, { maxMembers: 10 }),
      memberships: new PostgresMembershipRepository(database),
      messages: new PostgresMessageRepository(database),
    };
    const stop = async () => {
      await database.close();
      await proxy.close();
    };
    return { proxy, ...repositories, stop };
  }

  test('breaks, each method says so, and works again as soon as it is back', async () => {
    const { proxy, chats, memberships, messages, stop } = await proxied(5_000);
    const me = user(randomUUID());
    const { chat } = await chats.createGroup(me, 'x', []);
    const uses = [
      () => chats.createGroup(me, 'x', []),
      () => chats.openDirect(me, randomUUID()),
      () => chats.joinRoom('x', me).catch((error) => error.reason === 'ROOM_NOT_FOUND' || Promise.reject(error)),
      () => chats.get(chat.id, me.id),
      () => chats.listOfUser(me.id, 10),
      () => memberships.listVersions([me.id]),
      () => messages.appendBatch([newMessage(chat.id, me.id)], ['OWNER']),
      () => messages.findChanges(chat.id, 0, 10),
      () => messages.listHeads([chat.id]),
    ];

    for (const use of uses) {
      proxy.cut();
      await expect(use()).rejects.toMatchObject({ reason: 'STORAGE_UNAVAILABLE' });
      proxy.restore();
      await use();
    }
    await stop();
  });

  test.each<[string, (use: Awaited<ReturnType<typeof proxied>>, chat: Chat) => Promise<unknown>]>([
    ['a read', ({ messages }, chat) => messages.findChanges(chat.id, 0, 10)],
    ['a transaction', ({ chats }, { createdBy }) => chats.createGroup(user(createdBy), 'x', [])],
    ['a batch', ({ messages }, chat) => messages.appendBatch([newMessage(chat.id, chat.createdBy)], ['OWNER'])],
  ])('goes silent, %s ends all the same, and the silent connection is not used again', async (_, use) => {
    const parts = await proxied(1_000);
    const { chat } = await parts.chats.createGroup(user(randomUUID()), 'x', []);
    // Its connection is open before the network goes silent.
    await use(parts, chat);

    parts.proxy.freeze();

    await expect(use(parts, chat)).rejects.toMatchObject({ reason: 'STORAGE_UNAVAILABLE' });
    await use(parts, chat);
    await parts.stop();
  });

  test('is silent, the connections can be closed all the same', async () => {
    const { proxy, chats, stop } = await proxied(300);
    await chats.ensureRooms(['silent']);
    proxy.freeze();
    await stop();
  });
});
