import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ChangeDraft } from '../../../model/change.ts';
import type { Message } from '../../../model/message.ts';
import { holdChat } from '../../../testing/faults/row-lock.ts';
import {
  allow,
  anyChange,
  newMessage,
  openTestStorage,
  type TestStorage,
  user,
} from '../../../testing/services/test-storage.ts';
import type { ChangeRules, NewChange } from '../../change-repository.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

/** A group of alice (its owner), bob and carol, in which bob has sent one message. */
let chatId: string;
let sent: Message;
beforeEach(async () => {
  chatId = (await storage.chats.createGroup(user('alice'), 'group', ['bob', 'carol'])).chat.id;
  sent = await send('bob', 'first');
});

async function send(sender: string, text: string, chat = chatId, clientMessageId: string = randomUUID()) {
  const message = newMessage(chat, sender, { text, clientMessageId });
  await storage.messages.appendBatch([message], ['MEMBER', 'OWNER']);
  return storage.messages.get(chat, message.id);
}

const edited = (text: string) => ({ kind: 'edited', text }) as const;
const deleted = { kind: 'deleted', hide: false, reason: '' } as const;

function change(what: ChangeDraft['change'], fields: Partial<NewChange> = {}): NewChange {
  const { clientChangeId = randomUUID() } = fields;
  return {
    ...{ chatId, messageId: sent.id, actorId: 'bob', clientChangeId, change: what, ifVersion: undefined },
    ...{ asService: false, digest: Buffer.from(JSON.stringify(what)), ...fields },
  };
}

async function append(one: NewChange, rules: Partial<ChangeRules> = {}) {
  return (await storage.changes.appendBatch([one], { ...anyChange, ...rules }, 10_000))[0]!;
}

const outcome = async (...args: Parameters<typeof append>) => (await append(...args)).outcome;

describe('an edit', () => {
  test('takes the chat’s next number and leaves id, place, time and the order of chats alone', async () => {
    const before = await storage.chats.get(chatId, 'bob');
    const { rows } = await storage.database.pool.query('select changed_at from chats where id = $1', [chatId]);
    const stored = await append(change(edited('second')));
    expect(stored).toEqual({
      outcome: 'stored',
      seq: 3,
      createdAt: expect.any(Date),
      epoch: storage.database.epochs.current,
      message: { ...sent, text: 'second', updateSeq: 3, editedAt: expect.any(Date) },
    });
    expect(await storage.messages.get(chatId, sent.id)).toEqual((stored as { message: Message }).message);
    expect((await storage.chats.get(chatId, 'carol')).own?.unreadCount).toBe(1);
    expect((await storage.chats.get(chatId, 'bob')).lastSeq).toBe(before.lastSeq + 1);
    const after = await storage.database.pool.query('select changed_at from chats where id = $1', [chatId]);
    expect(after.rows).toEqual(rows);
  });

  test('again is answered as the first time, also after a later edit, a removal, and a deletion', async () => {
    const first = change(edited('second'), { clientChangeId: 'e1' });
    const stored = await append(first);
    const { seq, createdAt } = stored as { seq: number; createdAt: Date };
    const again = { outcome: 'repeated', seq, createdAt };
    expect(await append(first)).toEqual(again);
    await append(change(edited('third')));
    expect(await append(first)).toEqual(again);
    await append(change(deleted));
    expect(await append(first)).toEqual(again);
    await storage.members.remove(chatId, user('alice'), 'bob', allow);
    expect(await append(first)).toEqual(again);
    expect((await storage.messages.get(chatId, sent.id)).updateSeq).toBe(5);
  });

  test('with a used id and other content is refused and changes nothing', async () => {
    await append(change(edited('second'), { clientChangeId: 'e1' }));
    expect(await outcome(change(edited('other'), { clientChangeId: 'e1' }))).toBe('reused');
    // The ids of another user are others.
    const other = await send('alice', 'mine');
    expect(await outcome(change(edited('x'), { actorId: 'alice', messageId: other.id, clientChangeId: 'e1' }))).toBe(
      'stored',
    );
    expect((await storage.messages.get(chatId, sent.id)).text).toBe('second');
  });

  test('of a version that is no longer the newest is refused', async () => {
    expect(await outcome(change(edited('second'), { ifVersion: 1 }))).toBe('version_conflict');
    expect(await outcome(change(edited('second'), { ifVersion: 2 }))).toBe('stored');
    expect(await outcome(change(edited('third'), { ifVersion: 2 }))).toBe('version_conflict');
    expect(await outcome(change(edited('third'), { ifVersion: 3 }))).toBe('stored');
  });

  test('by a node of the version before leaves the data, and a deletion by one removes it', async () => {
    const message = newMessage(chatId, 'bob', { text: 'first', data: { a: 1 } });
    await storage.messages.appendBatch([message], ['MEMBER']);
    const asBefore = async (kind: string, text: string | null) => {
      const { rows } = await storage.database.pool.query(
        `select * from append_changes(array[$1::uuid], array[$2::uuid], array[$3], array['bob'], array[$4], array['\\x00'::bytea], array[$5],
          array[false], array[null::bigint], array[null], '{}', '{MEMBER}', '{}', null, null, true, 0)`,
        [chatId, message.id, kind, randomUUID(), text],
      );
      expect(rows).toMatchObject([{ outcome: 'stored', text: text ?? '' }]);
      expect(rows[0]).not.toHaveProperty('data');
    };
    await asBefore('edited', 'second');
    expect(await storage.messages.get(chatId, message.id)).toMatchObject({ text: 'second', data: { a: 1 } });
    await asBefore('deleted', null);
    expect(await storage.messages.get(chatId, message.id)).toMatchObject({ text: '', data: undefined });
    const { rows } = await storage.database.pool.query('select data from messages where id = $1', [message.id]);
    expect(rows).toEqual([{ data: null }]);
  });

  test('does not change how the sent message is recognised', async () => {
    const clientMessageId = randomUUID();
    const message = await send('bob', 'original', chatId, clientMessageId);
    await append(change(edited('edited'), { messageId: message.id }));
    const again = async (text: string) => {
      const [appended] = await storage.messages.appendBatch([newMessage(chatId, 'bob', { text, clientMessageId })], []);
      return appended;
    };
    expect(await again('original')).toMatchObject({ outcome: 'repeated', messageId: message.id, seq: message.seq });
    expect(await again('edited')).toMatchObject({ outcome: 'reused' });
  });

  test('keeps the texts before it if that is wanted, until the message is deleted', async () => {
    await append(change(edited('second')));
    await append(change(edited('third')), { keepVersions: false });
    await append(change(edited('fourth')));
    const reader = { userId: 'alice', guard: allow };
    const of = { chatId, messageId: sent.id, reader };
    const versions = (limit: number, after?: number) => storage.changes.listVersions(of, limit, after);
    expect(await versions(10)).toMatchObject({
      items: [
        { version: 2, text: 'first', createdAt: sent.createdAt },
        { version: 4, text: 'third' },
      ],
    });
    expect(await versions(1)).toMatchObject({ items: [{ text: 'first' }], next: 2 });
    expect(await versions(1, 2)).toEqual({ items: [expect.objectContaining({ text: 'third' })] });
    await append(change(deleted));
    expect(await versions(10)).toEqual({ items: [] });
    await expect(storage.changes.listVersions({ ...of, messageId: randomUUID() }, 10)).rejects.toMatchObject({
      reason: 'MESSAGE_NOT_FOUND',
    });
  });
});

describe('a deletion', () => {
  test('keeps only the place, the sender and the client message id', async () => {
    await append(change(edited('second')));
    expect(await append(change(deleted, { ifVersion: 3 }))).toMatchObject({ outcome: 'stored', seq: 4 });
    const { text, deletion, ...rest } = await storage.messages.get(chatId, sent.id);
    expect([text, deletion]).toEqual(['', { at: expect.any(Date), by: 'bob', hidden: false }]);
    expect(rest).toMatchObject({ id: sent.id, seq: 2, updateSeq: 4, sender: sent.sender });
    expect(rest.clientMessageId).toBe(sent.clientMessageId);
    const { rows } = await storage.database.pool.query(
      'select content_hash, (select count(*)::integer from changes where chat_id = $1 and digest is not null) as digests from messages where chat_id = $1 and seq = 2',
      [chatId],
    );
    expect(rows).toEqual([{ content_hash: null, digests: 0 }]);
  });

  test('lets the message be sent again with the same answer, whatever its text was', async () => {
    await append(change(deleted));
    const { clientMessageId } = sent;
    const [again] = await storage.messages.appendBatch([newMessage(chatId, 'bob', { text: 'x', clientMessageId })], []);
    expect(again).toMatchObject({ outcome: 'repeated', messageId: sent.id, seq: 2 });
    expect((await storage.messages.get(chatId, sent.id)).text).toBe('');
  });

  test('of a deleted message is answered as the first one', async () => {
    const first = (await append(change(deleted, { clientChangeId: '' }))) as { seq: number; createdAt: Date };
    const again = { outcome: 'already_deleted', seq: first.seq, createdAt: first.createdAt };
    expect(await append(change(deleted, { clientChangeId: '' }))).toEqual(again);
    expect(await append(change(deleted, { actorId: 'alice' }))).toEqual(again);
  });

  test('that hides takes the message out of every list, also when it was deleted before', async () => {
    await append(change(deleted));
    expect(await outcome(change({ ...deleted, hide: true }))).toBe('stored');
    await expect(storage.messages.get(chatId, sent.id)).rejects.toMatchObject({ reason: 'MESSAGE_NOT_FOUND' });
    const { messages } = await storage.messages.listHistory(chatId, 'newest', 10);
    expect(messages.map(({ seq }) => seq)).toEqual([1]);
    const { items } = await storage.chats.listOfUser('carol', 1);
    expect([items[0]?.lastMessage?.seq, items[0]?.lastSeq]).toEqual([1, 4]);
    expect(await outcome(change(deleted))).toBe('message_not_found');
  });

  test('makes the message no longer unread', async () => {
    await send('bob', 'another');
    expect((await storage.chats.get(chatId, 'carol')).own?.unreadCount).toBe(2);
    await append(change(deleted));
    expect((await storage.chats.get(chatId, 'carol')).own?.unreadCount).toBe(1);
  });

  test('of another user’s message is in the audit log with its reason, and one’s own is not', async () => {
    await append(change({ ...deleted, reason: 'spam' }, { actorId: 'alice' }));
    const own = await send('bob', 'own');
    await append(change(deleted, { messageId: own.id }));
    const { rows } = await storage.database.pool.query(
      `select actor_id, detail from audit_log where chat_id = $1 and action = 'message.delete'`,
      [chatId],
    );
    expect(rows).toEqual([{ actor_id: 'alice', detail: { message_id: sent.id, sender_id: 'bob', reason: 'spam' } }]);
  });
});

test.each<[string, () => Promise<NewChange>, string, Partial<ChangeRules>?]>([
  ['an unknown chat', async () => change(edited('x'), { chatId: randomUUID() }), 'chat_not_found'],
  ['an unknown message', async () => change(edited('x'), { messageId: randomUUID() }), 'message_not_found'],
  ['a stranger’s edit', async () => change(edited('x'), { actorId: 'mallory' }), 'not_a_member'],
  ['another member’s edit', async () => change(edited('x'), { actorId: 'carol' }), 'not_the_sender'],
  ['an owner’s edit of another’s message', async () => change(edited('x'), { actorId: 'alice' }), 'not_the_sender'],
  ['another member’s deletion', async () => change(deleted, { actorId: 'carol' }), 'not_the_sender'],
  ['an owner’s deletion', async () => change(deleted, { actorId: 'alice' }), 'stored', { deleteWindowMs: 1 }],
  [
    'a backend’s edit',
    async () => change(edited('x'), { actorId: 'b', asService: true }),
    'stored',
    { editWindowMs: 1 },
  ],
  ['a backend’s deletion', async () => change(deleted, { actorId: 'b', asService: true }), 'stored'],
  ['an edit that is too late', () => past().then(() => change(edited('x'))), 'too_late', { editWindowMs: 60_000 }],
  ['a deletion that is too late', () => past().then(() => change(deleted)), 'too_late', { deleteWindowMs: 60_000 }],
  ['an edit just in time', () => past().then(() => change(edited('x'))), 'stored', { editWindowMs: 7_200_000 }],
  ['an edit of a deleted message', () => append(change(deleted)).then(() => change(edited('x'))), 'message_deleted'],
  ['an edit by a sender who may only read now', () => demote().then(() => change(edited('x'))), 'role_too_low'],
  ['a deletion by a sender who may only read now', () => demote().then(() => change(deleted)), 'stored'],
  [
    'an edit of a system message',
    async () => change(edited('x'), { actorId: 'alice', messageId: await first() }),
    'system_message',
  ],
  [
    'a deletion of a system message',
    async () => change(deleted, { actorId: 'alice', messageId: await first() }),
    'system_message',
  ],
])('%s', async (_what, make, expected, rules) => {
  expect(await outcome(await make(), rules)).toBe(expected);
});

/** Makes bob's message an hour old. */
async function past(): Promise<void> {
  await storage.database.pool.query(
    `update messages set created_at = created_at - interval '1 hour' where chat_id = $1`,
    [chatId],
  );
}

async function demote(): Promise<void> {
  await storage.members.setRole(chatId, user('alice'), 'bob', 'READER', allow);
}

/** The id of the message that records the beginning of the chat. */
async function first(): Promise<string> {
  return (await storage.messages.listHistory(chatId, { afterSeq: 0 }, 1)).messages[0]!.id;
}

test('in a direct chat nobody deletes the messages of the other', async () => {
  const { chat } = await storage.chats.openDirect(user('alice'), 'bob', 'alice');
  const message = await send('bob', 'hello', chat.id);
  const fields = { chatId: chat.id, messageId: message.id };
  expect(await outcome(change(deleted, { ...fields, actorId: 'alice' }))).toBe('not_the_sender');
  expect(await outcome(change(deleted, fields))).toBe('stored');
});

test('a batch of changes in several chats is numbered in its order, and one refusal does not concern the others', async () => {
  const messages = [sent, await send('bob', 'b'), await send('bob', 'c')];
  const other = (await storage.chats.createGroup(user('bob'), 'other', [])).chat.id;
  const elsewhere = await send('bob', 'd', other);
  const batch = [
    change(edited('1'), { messageId: messages[2]!.id }),
    change(edited('2'), { chatId: other, messageId: elsewhere.id }),
    change(edited('3'), { messageId: messages[0]!.id, ifVersion: 9 }),
    change(deleted, { messageId: messages[1]!.id }),
  ];
  const answers = await storage.changes.appendBatch(batch, anyChange);
  expect(answers).toMatchObject([
    { outcome: 'stored', seq: 5 },
    { outcome: 'stored', seq: 3 },
    { outcome: 'version_conflict' },
    { outcome: 'stored', seq: 6 },
  ]);
});

test('changes in a chat that another transaction has locked are busy, and those in other chats are stored', async () => {
  const other = (await storage.chats.createGroup(user('bob'), 'other', [])).chat.id;
  const elsewhere = await send('bob', 'd', other);
  const stored = change(edited('1'));
  const receipt = await append(stored);
  await holdChat(storage.dsn, { id: chatId });
  const batch = [change(edited('2'), { chatId: other, messageId: elsewhere.id }), change(deleted), stored];
  expect(await storage.changes.appendBatch(batch, anyChange)).toMatchObject([
    { outcome: 'stored' },
    { outcome: 'busy' },
    { outcome: 'repeated', seq: (receipt as { seq: number }).seq },
  ]);
});

test('of a hundred editors who name the same version, one is first; without a version all are stored', async () => {
  const edits = (ifVersion: number | undefined) =>
    Promise.all(Array.from({ length: 100 }, (_, i) => outcome(change(edited(`${i}`), { ifVersion }))));
  const conditional = await edits(2);
  expect(conditional.filter((one) => one === 'stored')).toHaveLength(1);
  expect(conditional.filter((one) => one === 'version_conflict')).toHaveLength(99);
  expect(new Set(await edits(undefined))).toEqual(new Set(['stored']));
  const { updateSeq } = await storage.messages.get(chatId, sent.id);
  expect([updateSeq, (await storage.chats.get(chatId, 'bob')).lastSeq]).toEqual([103, 103]);
  const page = await storage.messages.findChanges(chatId, 0, 100);
  expect(page!.batch.entries).toMatchObject([
    { kind: 'message' },
    { kind: 'message' },
    { kind: 'covered', fromSeq: 3, toSeq: 102 },
    { kind: 'message_changed', message: { updateSeq: 103 } },
  ]);
});
