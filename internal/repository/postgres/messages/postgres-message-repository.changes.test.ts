import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Entry, entryOf, seqOf } from '../../../model/entry.ts';
import type { Message } from '../../../model/message.ts';
import { allow, newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

/** A chat with `count` numbers: the first records its beginning. */
async function newLog(count: number): Promise<{ chatId: string; messages: Message[] }> {
  const { chat } = await storage.chats.createGroup(user('alice'), 'group', ['bob']);
  const batch = Array.from({ length: count - 1 }, (_, i) => newMessage(chat.id, 'alice', { text: `${i + 2}` }));
  if (batch.length > 0) await storage.messages.appendBatch(batch, ['OWNER']);
  return { chatId: chat.id, messages: (await storage.messages.listHistory(chat.id, { afterSeq: 0 }, count)).messages };
}

const sentEntry = (message: Message): Entry => ({ kind: 'message', message });

/** Page by page, from the given number on. */
async function collect(chatId: string, afterSeq: number, pageSize: number): Promise<Entry[]> {
  const all: Entry[] = [];
  for (;;) {
    const position = seqOf(all.at(-1) ?? covered(chatId, 0, afterSeq));
    const page = await storage.messages.findChangesAsMember(chatId, 'bob', position, pageSize);
    const { batch, hasMore, lastSeq } = page!;
    // At most one run of covered numbers before each entry, and one after them.
    expect(batch.entries.length).toBeLessThanOrEqual(2 * pageSize + 1);
    expect(batch.isEmpty || (batch.firstSeq === position + 1 && batch.isContiguous)).toBe(true);
    all.push(...batch.entries);
    if (!hasMore) {
      expect(Math.max(batch.lastSeq, position)).toBe(Math.max(lastSeq, position));
      return all;
    }
    expect(batch.isEmpty).toBe(false);
  }
}

const covered = (chatId: string, fromSeq: number, toSeq: number): Entry => ({
  kind: 'covered',
  chatId,
  fromSeq,
  toSeq,
});

/** The entries with each run of covered numbers in one, however the pages have cut it. */
function joined(entries: readonly Entry[]): Entry[] {
  const result: Entry[] = [];
  for (const entry of entries) {
    const last = result.at(-1);
    if (entry.kind !== 'covered' || last?.kind !== 'covered') result.push(entry);
    else result[result.length - 1] = { ...last, toSeq: entry.toSeq };
  }
  return result;
}

describe('the changes after a number', () => {
  test('are the history after it, at every cut and with every page size', async () => {
    const { chatId, messages } = await newLog(7);
    for (let cut = 0; cut <= 7; cut += 1) {
      for (const pageSize of [1, 2, 3, 6, 7, 8]) {
        expect(await collect(chatId, cut, pageSize)).toEqual(messages.slice(cut).map(entryOf));
      }
    }
  });

  test('bring an edited message in its newest state, at its own number and at that of its last edit', async () => {
    const { chatId, messages } = await newLog(5);
    const third = await storage.edit(messages[2]!, 'third, edited');
    const second = await storage.edit(messages[1]!, 'second, edited');

    for (const pageSize of [1, 2, 10]) {
      for (let cut = 0; cut <= 7; cut += 1) {
        const sent = [messages[0]!, second, third, messages[3]!, messages[4]!].map((message) => sentEntry(message));
        const expected = [...sent, entryOf(third), entryOf(second)].filter((entry) => seqOf(entry) > cut);
        expect(await collect(chatId, cut, pageSize)).toEqual(expected);
      }
    }
    expect([third.seq, third.updateSeq, third.text]).toEqual([3, 6, 'third, edited']);
  });

  test('cover edits that later ones have replaced, and hidden messages', async () => {
    const { chatId, messages } = await newLog(4);
    for (const text of ['a', 'b', 'c']) await storage.edit(messages[2]!, text);
    const hidden = await storage.delete(messages[1]!, true);
    const newest = await storage.edit(messages[2]!, 'd');
    const deleted = await storage.delete(messages[3]!);

    for (const pageSize of [1, 2, 3, 10]) {
      expect(joined(await collect(chatId, 0, pageSize))).toEqual([
        sentEntry(messages[0]!),
        covered(chatId, 2, 2),
        sentEntry(newest),
        sentEntry(deleted),
        covered(chatId, 5, 7),
        entryOf(hidden),
        entryOf(newest),
        entryOf(deleted),
      ]);
    }
    expect([deleted.text, deleted.deletion]).toMatchObject(['', { by: 'backend', hidden: false }]);
  });

  test('are few pages also where a message was changed many times', async () => {
    const { chatId, messages } = await newLog(2);
    for (let i = 0; i < 100; i += 1) await storage.edit(messages[1]!, `${i}`);
    const page = await storage.messages.findChanges(chatId, 2, 20);
    expect(page).toMatchObject({ hasMore: false, lastSeq: 102 });
    expect(page!.batch.entries).toMatchObject([
      { kind: 'covered', fromSeq: 3, toSeq: 101 },
      { kind: 'message_changed' },
    ]);
  });

  test('of any log lead a reader from any position to the newest state of every message', async () => {
    const edits = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(edits, fc.integer({ min: 1, max: 4 }), async (edits, pageSize) => {
        const { chatId, messages } = await newLog(6);
        for (const [i, edit] of edits.entries()) await storage.edit(messages[edit]!, `edit ${i}`);
        const newest = (await storage.messages.listHistory(chatId, { afterSeq: 0 }, 100)).messages;
        for (let cut = 0; cut <= 6; cut += 1) {
          // The state of a reader that has read up to the cut, before the edits.
          const state = new Map(messages.slice(0, cut).map((message) => [message.id, message]));
          const changes = await collect(chatId, cut, pageSize);
          for (const entry of changes) if ('message' in entry) state.set(entry.message.id, entry.message);
          expect([...state.values()].toSorted((a, b) => a.seq - b.seq)).toEqual(newest);
        }
      }),
      { numRuns: 15 },
    );
  });

  test('are read again when the database has gone back, however recently they were read', async () => {
    const { pool, epochs } = storage.database;
    const { chatId } = await newLog(4);
    const read = async () => (await storage.messages.findChangesAsMember(chatId, 'bob', 2, 10))?.batch.entries;
    const [kept, lost] = (await read())!;
    await pool.query('delete from messages where chat_id = $1 and seq = 4', [chatId]);
    await pool.query('update chats set last_seq = 3 where id = $1', [chatId]);
    expect(await read()).toEqual([kept, lost]);

    await epochs.begin(pool);
    await epochs.refresh();
    expect(await read()).toEqual([kept]);
  });

  test('come with the chat’s last number and whether there are more', async () => {
    const { chatId } = await newLog(3);
    const page = async (afterSeq: number, limit: number) => {
      const { batch, ...rest } = (await storage.messages.findChanges(chatId, afterSeq, limit))!;
      return { count: batch.entries.length, ...rest };
    };
    expect(await page(0, 2)).toEqual({ count: 2, lastSeq: 3, hasMore: true });
    expect(await page(0, 3)).toEqual({ count: 3, lastSeq: 3, hasMore: false });
    expect(await page(3, 3)).toEqual({ count: 0, lastSeq: 3, hasMore: false });
    expect(await page(9, 3)).toEqual({ count: 0, lastSeq: 3, hasMore: false });
  });

  test('are undefined for a chat that does not exist, a user who is not a member, and a removed member', async () => {
    const { chatId } = await newLog(2);
    const { findChanges, findChangesAsMember } = {
      findChanges: () => storage.messages.findChanges(chatId, 0, 10),
      findChangesAsMember: (userId: string) => storage.messages.findChangesAsMember(chatId, userId, 0, 10),
    };
    expect(await storage.messages.findChanges(randomUUID(), 0, 10)).toBeUndefined();
    expect(await findChangesAsMember('stranger')).toBeUndefined();
    expect(await findChangesAsMember('bob')).toBeDefined();
    await storage.members.remove(chatId, user('alice'), 'bob', allow);
    expect(await findChangesAsMember('bob')).toBeUndefined();
    expect(await findChangesAsMember('alice')).toBeDefined();
    await storage.chats.delete(chatId, user('alice'), allow);
    expect(await findChangesAsMember('alice')).toBeUndefined();
    expect(await findChanges()).toBeUndefined();
  });

  test('are read in one snapshot with the membership and the last number', async () => {
    const { chatId } = await newLog(1);
    let stopped = false;
    const write = async () => {
      while (!stopped) {
        await storage.messages.appendBatch([newMessage(chatId, 'alice')], ['OWNER']);
        await storage.members.remove(chatId, user('alice'), 'bob', allow);
        await storage.members.add(chatId, user('alice'), ['bob'], allow);
      }
    };
    const writing = write();
    let seen = 0;
    while (seen < 150) {
      const page = await storage.messages.findChangesAsMember(chatId, 'bob', 0, 10_000);
      if (!page) continue;
      seen += 1;
      expect(page.batch.entries.map(seqOf)).toEqual(Array.from({ length: page.lastSeq }, (_, i) => i + 1));
      const kinds = page.batch.entries.flatMap(
        (entry) => (entry.kind === 'message' && entry.message.system?.kind) || [],
      );
      expect(kinds.findLast((kind) => kind !== 'chat_created') ?? 'members_added').toBe('members_added');
    }
    stopped = true;
    await writing;
  });
});

describe('the history', () => {
  test('is read forwards, backwards and from its end, always in ascending order', async () => {
    const { chatId, messages } = await newLog(5);
    const page = async (...args: Parameters<typeof storage.messages.listHistory>) => {
      const { messages, hasMore } = await storage.messages.listHistory(...args);
      return [messages.map(({ seq }) => seq), hasMore];
    };
    expect(await page(chatId, 'newest', 2)).toEqual([[4, 5], true]);
    expect(await page(chatId, 'newest', 5)).toEqual([[1, 2, 3, 4, 5], false]);
    expect(await page(chatId, { beforeSeq: 4 }, 2)).toEqual([[2, 3], true]);
    expect(await page(chatId, { beforeSeq: 3 }, 2)).toEqual([[1, 2], false]);
    expect(await page(chatId, { beforeSeq: 1 }, 2)).toEqual([[], false]);
    expect(await page(chatId, { afterSeq: 0 }, 3)).toEqual([[1, 2, 3], true]);
    expect(await page(chatId, { afterSeq: 2 }, 3)).toEqual([[3, 4, 5], false]);
    await storage.edit(messages[1]!, 'edited');
    expect(await page(chatId, 'newest', 5)).toEqual([[1, 2, 3, 4, 5], false]);
  });

  test('gives one message by its id, only in its own chat', async () => {
    const [{ chatId, messages }, other] = [await newLog(2), await newLog(1)];
    expect(await storage.messages.get(chatId, messages[1]!.id)).toEqual(messages[1]);
    await expect(storage.messages.get(other.chatId, messages[1]!.id)).rejects.toMatchObject({
      reason: 'MESSAGE_NOT_FOUND',
    });
    await expect(storage.messages.get(chatId, randomUUID())).rejects.toMatchObject({ reason: 'MESSAGE_NOT_FOUND' });
  });
});
