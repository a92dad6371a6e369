import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import { PostgresSinkCursorRepository } from './postgres-sink-cursor-repository.ts';
import { PostgresSinkReplayRepository } from './postgres-sink-replay-repository.ts';

let storage: TestStorage;
let cursors: PostgresSinkCursorRepository;
let replays: PostgresSinkReplayRepository;
const alice = user('alice');
const reason = 'a lost index';
beforeAll(async () => {
  storage = await openTestStorage();
  cursors = new PostgresSinkCursorRepository(storage.database, 'jetstream');
  replays = new PostgresSinkReplayRepository(storage.database);
});
afterAll(() => storage.close());

/** A chat with the numbers 1 to 5, of which the sink has the first four. */
async function exportedChat(): Promise<{ chatId: string; epoch: string }> {
  await cursors.enable();
  const { id: chatId } = (await storage.chats.createGroup(alice, 'chat', [])).chat;
  for (let count = 0; count < 4; count += 1)
    await storage.messages.appendBatch([newMessage(chatId, alice.id)], ['OWNER'], 10_000);
  const { epoch } = (await cursors.claim(100, 60_000)).find((claim) => claim.chatId === chatId)!;
  await cursors.release({ chatId, exportedSeq: 4, position: 9, epoch, replay: 0 });
  return { chatId, epoch };
}

const claimOf = async (chatId: string) => (await cursors.claim(100, 60_000)).find((claim) => claim.chatId === chatId);

test('the cursor is put back, without its position, and the audit log says by whom and why', async () => {
  const { chatId, epoch } = await exportedChat();
  const replay = await replays.replay(alice, { sink: 'jetstream', chatId, from: 3, reason });
  expect(replay).toEqual({ fromSeq: 3, toSeq: 4, replay: 1 });
  expect(await claimOf(chatId)).toEqual({ chatId, exportedSeq: 2, position: 0, deleted: false, epoch, replay: 1 });
  const { rows } = await storage.database.pool.query(
    'select actor_id, action, detail from audit_log where chat_id = $1',
    [chatId],
  );
  expect(rows).toContainEqual({
    actor_id: alice.id,
    action: 'export.replay',
    detail: { sink: 'jetstream', from_seq: 3, to_seq: 4, replay: 1, reason },
  });
});

test('a relay that claimed the chat before does not move the cursor any more', async () => {
  const { chatId, epoch } = await exportedChat();
  const claim = (await claimOf(chatId))!;
  await replays.replay(alice, { sink: 'jetstream', chatId, from: 1, reason });
  await cursors.release({ ...claim, exportedSeq: 5, position: 12 });
  expect(await claimOf(chatId)).toMatchObject({ exportedSeq: 0, position: 0, epoch, replay: 1 });
});

test('a time stands for the first number since then', async () => {
  const { chatId } = await exportedChat();
  const setAt = 'update messages set created_at = $3 where chat_id = $1 and seq = $2';
  for (const seq of [1, 2, 3, 4, 5])
    await storage.database.pool.query(setAt, [chatId, seq, `2020-01-0${seq}T00:00:00Z`]);
  const since = async (time: string) =>
    (await replays.replay(alice, { sink: 'jetstream', chatId, from: new Date(time), reason }))?.fromSeq;
  expect(await since('2030-01-01T00:00:00Z')).toBeUndefined();
  // The sink does not have number 5 yet.
  expect(await since('2020-01-04T12:00:00Z')).toBeUndefined();
  expect(await since('2020-01-02T12:00:00Z')).toBe(3);
  // Also one during a replay that has not ended.
  expect(await since('2019-01-01T00:00:00Z')).toBe(1);
});

test('sinks and chats that there are not are refused', async () => {
  const { chatId } = await exportedChat();
  const ask = (sink: string, of: string) => replays.replay(alice, { sink, chatId: of, from: 1, reason });
  await expect(ask('other', chatId)).rejects.toThrow('sink must be one of the sinks: jetstream');
  await expect(ask('jetstream', randomUUID())).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
});
