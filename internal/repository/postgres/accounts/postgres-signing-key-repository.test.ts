import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../../testing/eventually.ts';
import { openTestStorage, type TestStorage } from '../../../testing/services/test-storage.ts';
import { PostgresSigningKeyRepository } from './postgres-signing-key-repository.ts';

const storages: TestStorage[] = [];
let storage: TestStorage;
beforeEach(async () => {
  storage = await openTestStorage();
  storages.push(storage);
});
afterAll(() => Promise.all(storages.map((storage) => storage.close())));

const create = async () => ({ kid: randomUUID(), d: 'secret' });

test('the first key is made once and then stays', async () => {
  const keys = new PostgresSigningKeyRepository(storage.database);
  const first = await keys.list(create);
  expect(first).toHaveLength(1);
  expect(await keys.list(() => expect.unreachable())).toEqual(first);
});

test('nodes that make the first key at once agree on one', async () => {
  const lists = await Promise.all(
    Array.from({ length: 8 }, () => new PostgresSigningKeyRepository(storage.database).list(create)),
  );
  expect(lists).toEqual(lists.map(() => lists[0]));
  expect(lists[0]).toHaveLength(1);
});

test('a node that waited while another made the first key takes that one', async () => {
  const keys = new PostgresSigningKeyRepository(storage.database);
  const outside = await storage.connect();
  await outside.query('begin');
  await outside.query(`select pg_advisory_xact_lock(hashtext('auth.signing_keys'))`);
  const listed = keys.list(create);
  await eventually(async () => {
    const { rowCount } = await storage.database.pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`,
    );
    expect(rowCount).toBe(1);
  });
  await outside.query(`insert into auth.signing_keys (kid, private_jwk) values ('theirs', '{"kid": "theirs"}')`);
  await outside.query('commit');
  expect(await listed).toMatchObject([{ jwk: { kid: 'theirs' } }]);
});

test('the key that signs last comes first', async () => {
  await storage.database.pool.query(`
    insert into auth.signing_keys (kid, private_jwk, signs_from)
    values ('old', '{"kid": "old"}', now() - interval '1 day'), ('new', '{"kid": "new"}', now())`);
  const keys = await new PostgresSigningKeyRepository(storage.database).list(create);
  expect(keys.map(({ jwk }) => jwk.kid)).toEqual(['new', 'old']);
});

test('an old key is kept for as long as its tokens may be valid, and is removed by a later rotation', async () => {
  const keys = new PostgresSigningKeyRepository(storage.database);
  const [first] = await keys.list(create);
  const begun = Date.now();
  const { signsFrom } = await keys.rotate(await create(), { leadMs: 60_000, keepMs: 900_000 });
  expect(signsFrom.getTime() - begun).toBeGreaterThanOrEqual(59_000);
  expect((await keys.list(create)).map(({ jwk }) => jwk.kid)).toContain(first!.jwk.kid);

  await storage.database.pool.query('update auth.signing_keys set retires_at = now() where retires_at is not null');
  expect(await keys.list(create)).toHaveLength(1);
  expect(await keys.rotate(await create(), { leadMs: 0, keepMs: 900_000 })).toMatchObject({ removed: 1 });
  const { rows } = await storage.database.pool.query('select action, detail from auth.audit_log');
  expect(rows.map(({ action }) => action)).toEqual(['keys.rotate', 'keys.rotate']);
  expect(JSON.stringify(rows)).not.toContain('secret');
});
