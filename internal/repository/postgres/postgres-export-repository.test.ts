import { afterAll, beforeAll, expect, test } from 'vitest';
import { newMessage, openTestStorage, type TestStorage, user } from '../../testing/services/test-storage.ts';
import { PostgresExportRepository } from './postgres-export-repository.ts';

const alice = user('alice');
let storage: TestStorage;
let exports: PostgresExportRepository;
beforeAll(async () => {
  storage = await openTestStorage();
  exports = new PostgresExportRepository(storage.database);
});
afterAll(() => storage.close());

const newChat = async () => (await storage.chats.createGroup(alice, 'chat', [])).chat.id;
const query = (text: string) => storage.database.pool.query(text);
const say = (chatId: string) => storage.messages.appendBatch([newMessage(chatId, alice.id)], ['OWNER']);
const claimed = async () => (await exports.claim(100, 60_000)).map(({ chatId }) => chatId).sort();

test('changes are noted once it is enabled, old ones too, and each chat is given to one caller', async () => {
  const old = [await newChat(), await newChat(), await newChat(), await newChat(), await newChat()];
  expect(await claimed()).toEqual([]);
  // As a relay that dies in the middle does.
  await query('select export.enable(), export.note_old(2)');
  await say(old[3]!);
  await exports.enable();
  await exports.enable();
  const [one, two] = [await exports.claim(2, 60_000), await exports.claim(100, 60_000)];
  expect(one).toHaveLength(2);
  expect([...one, ...two].map(({ chatId }) => chatId).sort()).toEqual(old.toSorted());
  expect(two[0]).toEqual({ chatId: expect.any(String), exportedSeq: 0, position: 0, deleted: false });
  expect(await claimed()).toEqual([]);
  for (const chatId of old) await exports.release({ chatId, exportedSeq: 2, position: 7 });
  expect(await claimed()).toEqual([]);
  await say(old[0]!);
  await say(old[0]!);
  expect(await exports.claim(100, 0)).toEqual([{ chatId: old[0]!, exportedSeq: 2, position: 7, deleted: false }]);
  // Whose lease has run out comes too late.
  await exports.release({ chatId: old[0]!, exportedSeq: 1, position: 3 });
  expect(await exports.claim(100, 0)).toMatchObject([{ exportedSeq: 2, position: 7 }]);
  await exports.release({ chatId: old[0]!, exportedSeq: 3, position: 9 });
});

test('a deleted chat is given until it is forgotten', async () => {
  const chatId = await newChat();
  await exports.release({ chatId, exportedSeq: 1, position: 1 });
  await storage.chats.delete(chatId, alice, () => {});
  expect(await exports.claim(100, 0)).toEqual([{ chatId, exportedSeq: 1, position: 1, deleted: true }]);
  await exports.forget(chatId);
  expect(await claimed()).toEqual([]);
});

test('disabled, nothing is noted; enabled again, what was missed is', async () => {
  await query('select export.disable()');
  const chatId = await newChat();
  expect(await claimed()).toEqual([]);
  await exports.enable();
  expect(await claimed()).toEqual([chatId]);
  await exports.release({ chatId, exportedSeq: 1, position: 1 });
});

test('writers never wait for a relay', async () => {
  const chatId = await newChat();
  await exports.claim(100, 60_000);
  await Promise.all(Array.from({ length: 20 }, () => say(chatId)));
  const relay = Array.from({ length: 20 }, (_, at) => exports.release({ chatId, exportedSeq: at + 1, position: at }));
  await Promise.all([...relay, ...Array.from({ length: 20 }, () => say(chatId))]);
  const { rows } = await query('select last_seq, exported_seq from export.chats order by last_seq desc limit 1');
  expect(rows).toEqual([{ last_seq: 41, exported_seq: 20 }]);
});

test('chats that always have something to export do not keep the others waiting', async () => {
  const chats = [await newChat(), await newChat(), await newChat(), await newChat(), await newChat()];
  await query('update export.chats set last_seq = exported_seq');
  for (const chatId of chats)
    await query(`update export.chats set last_seq = exported_seq + 1 where chat_id = '${chatId}'`);
  const relay = new PostgresExportRepository(storage.database);
  const turns: string[][] = [];
  for (let i = 0; i < 6; i += 1) turns.push((await relay.claim(2, 0)).map(({ chatId }) => chatId));
  const [a, b, c, d, e] = chats.toSorted();
  expect(turns).toEqual([[a, b], [c, d], [e], [a, b], [c, d], [e]]);
  // The end of a round is no reason to find nothing.
  await query(`update export.chats set last_seq = exported_seq where chat_id = '${e}'`);
  const found = async () => (await relay.claim(2, 0)).map(({ chatId }) => chatId);
  expect([await found(), await found(), await found(), await found()]).toEqual([
    [a, b],
    [c, d],
    [a, b],
    [c, d],
  ]);
});
