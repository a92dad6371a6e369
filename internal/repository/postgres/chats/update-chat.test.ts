import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChatFields } from '../../../model/chat-fields.ts';
import { ChatError } from '../../../model/errors.ts';
import { auditOf, messagesOf } from '../../../testing/services/chat-state.ts';
import { allow, anyChange, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import type { Guard } from '../../guard.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

const [alice, bob] = [user('alice'), user('bob')];

async function newGroup(): Promise<string> {
  return (await storage.chats.createGroup(alice, 'group', ['bob'])).chat.id;
}

function update(chatId: string, fields: Partial<ChatFields>, { id = '', actor = alice, guard = allow } = {}) {
  const digest = Buffer.from(JSON.stringify(fields));
  return storage.chats.update(chatId, actor, { clientChangeId: id, fields, digest }, guard);
}

async function rowsOf(table: 'changes' | 'chat_details', chatId: string) {
  return storage.database.db.selectFrom(table).selectAll().where('chat_id', '=', chatId).execute();
}

describe('an update of a chat', () => {
  test('changes the chat, and writes one message, one audit row and its id, together', async () => {
    const chatId = await newGroup();
    const updated = await update(chatId, { description: 'about', data: { a: 1 } }, { id: 'u' });

    const system = { kind: 'chat_updated', description: 'about', data: { a: 1 } };
    expect(updated).toMatchObject({ outcome: 'stored', message: { seq: 2, updateSeq: 2, sender: alice, system } });
    expect((await messagesOf(storage, chatId)).at(-1)).toEqual('message' in updated && updated.message);
    const shown = { name: 'group', description: 'about', data: { a: 1 }, lastSeq: 2 };
    expect(await storage.chats.get(chatId, 'bob')).toMatchObject(shown);
    expect((await storage.chats.listOfUser('bob', 50)).items.find(({ id }) => id === chatId)).toMatchObject(shown);
    expect(await rowsOf('changes', chatId)).toMatchObject([{ seq: 2, message_seq: 2, kind: 'chat_updated' }]);
    expect((await auditOf(storage, chatId)).map((row) => row.slice(0, 2))).toEqual([
      ['alice', 'chat.create'],
      ['alice', 'chat.update'],
    ]);
  });

  test('is one entry for readers who catch up, between changes of messages too', async () => {
    const chatId = await newGroup();
    await update(chatId, { description: 'one' }, { id: 'u1' });
    const message = (await messagesOf(storage, chatId)).at(-1)!;
    await update(chatId, { description: 'two' }, { id: 'u2' });
    for (const limit of [1, 2, 10]) {
      const entries = [];
      for (let after = 0; after < 3; ) {
        const { batch } = (await storage.messages.findChanges(chatId, after, limit))!;
        entries.push(...batch.entries.map((entry) => [entry.kind, 'message' in entry && entry.message.seq]));
        after = batch.lastSeq;
      }
      expect(entries).toEqual([1, 2, 3].map((seq) => ['message', seq]));
    }
    expect(message.system).toEqual({ kind: 'chat_updated', description: 'one' });
  });

  test('with one id is made once, however many attempts run at once; each gets the same receipt', async () => {
    const chatId = await newGroup();
    const attempts = await Promise.all(
      Array.from({ length: 8 }, () => update(chatId, { description: 'about' }, { id: 'u' })),
    );

    expect(attempts.filter(({ outcome }) => outcome === 'stored')).toHaveLength(1);
    expect(attempts.filter(({ outcome }) => outcome === 'repeated')).toHaveLength(7);
    const receipts = attempts.map((attempt) => {
      if (attempt.outcome === 'stored') return attempt.message;
      return attempt.outcome === 'repeated' && { ...attempt.receipt, id: attempt.receipt.messageId };
    });
    expect(
      new Set(receipts.map((receipt) => receipt && `${receipt.id} ${receipt.seq} ${+receipt.createdAt}`)).size,
    ).toBe(1);
    expect(await messagesOf(storage, chatId)).toHaveLength(2);
  });

  test('and changes of messages share the ids of a user, whichever comes first', async () => {
    const chatId = await newGroup();
    const { seq: _, ...message } = (await messagesOf(storage, chatId))[0]!;
    const edit = (clientChangeId: string) => {
      const change = { kind: 'edited', text: 'x' } as const;
      const draft = { chatId, messageId: message.id, actorId: 'alice', clientChangeId, change, ifVersion: undefined };
      return storage.changes.appendBatch([{ ...draft, asService: true, digest: Buffer.from('edit') }], anyChange);
    };
    await update(chatId, { description: 'about' }, { id: 'u' });
    expect(await edit('u')).toMatchObject([{ outcome: 'reused' }]);
    expect(await update(chatId, { description: 'other' }, { id: 'u' })).toEqual({ outcome: 'reused' });
    expect(await update(chatId, { description: 'of bob' }, { id: 'u', actor: bob })).toMatchObject({
      outcome: 'stored',
    });
  });

  test('that changes nothing writes nothing', async () => {
    const chatId = await newGroup();
    await update(chatId, { data: { a: [1, 2.5], b: { c: null } } });
    const before = [await messagesOf(storage, chatId), await auditOf(storage, chatId)];
    for (const fields of [{}, { name: 'group' }, { description: '' }, { data: { b: { c: null }, a: [1, 2.5] } }]) {
      expect(await update(chatId, fields, { id: randomUUID() })).toEqual({ outcome: 'unchanged' });
    }
    expect([await messagesOf(storage, chatId), await auditOf(storage, chatId)]).toEqual(before);
    expect(await rowsOf('changes', chatId)).toEqual([]);
  });

  test('that the guard refuses changes nothing; a repetition is answered before it is asked', async () => {
    const chatId = await newGroup();
    const refuse: Guard = ({ role }) => {
      throw new ChatError('ROLE_TOO_LOW', `not as ${role}`);
    };
    await expect(update(chatId, { name: 'x' }, { actor: bob, guard: refuse })).rejects.toThrow('not as MEMBER');
    expect(await messagesOf(storage, chatId)).toHaveLength(1);
    await update(chatId, { name: 'x' }, { id: 'u' });
    expect(await update(chatId, { name: 'x' }, { id: 'u', guard: refuse })).toMatchObject({ outcome: 'repeated' });
    await expect(update(randomUUID(), { name: 'x' })).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
  });

  test('gives a room a name that no other has, also when many take it at once', async () => {
    const rooms = await Promise.all(Array.from({ length: 5 }, () => storage.chats.createRoom(alice, randomUUID(), [])));
    const name = randomUUID();
    const results = await Promise.allSettled(rooms.map(({ chat }) => update(chat.id, { name, description: 'won' })));

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) if (result.status === 'rejected') expect(result.reason.reason).toBe('ROOM_EXISTS');
    const after = await Promise.all(rooms.map(({ chat }) => storage.chats.get(chat.id, 'alice')));
    const won = after.filter((chat) => chat.name === name);
    expect(won).toMatchObject([{ description: 'won', lastSeq: 2 }]);
    expect(after.filter((chat) => chat.description === '' && chat.lastSeq === 1)).toHaveLength(4);
    // Groups may have equal names.
    const [one, other] = [await newGroup(), await newGroup()];
    for (const id of [one, other]) expect(await update(id, { name })).toMatchObject({ outcome: 'stored' });
  });

  test('leaves no row when the chat is deleted', async () => {
    const chatId = await newGroup();
    await update(chatId, { description: 'about' });
    await storage.chats.delete(chatId, alice, allow);
    expect(await rowsOf('chat_details', chatId)).toEqual([]);
  });
});
