import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { StreamOutcome } from '../../../model/stream-write.ts';
import { newMessageId } from '../../../service/writing/message-id.ts';
import { holdChat } from '../../../testing/faults/row-lock.ts';
import {
  allow,
  anyChange,
  anyStream,
  newMessage,
  openTestStorage,
  type TestStorage,
  user,
} from '../../../testing/services/test-storage.ts';
import type { NewStreamWrite, Streamed, StreamRules } from '../../stream-repository.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

/** A group of alice (its owner) and bob, whose first number is 1. */
let chatId: string;
beforeEach(async () => {
  chatId = (await storage.chats.createGroup(user('alice'), 'group', ['bob', 'carol'])).chat.id;
});

const by = (actor: string, asService = false) => ({ chatId, actor: user(actor), asService });

function start(text = '', { actor = 'bob', clientMessageId = randomUUID() as string } = {}): NewStreamWrite {
  const contentHash = Buffer.from(text);
  return { ...by(actor), kind: 'start', messageId: newMessageId(), clientMessageId, text, contentHash };
}

function parts(messageId: string, firstPart: number, ...texts: string[]): NewStreamWrite {
  return { ...by('bob'), kind: 'part', messageId, firstPart, texts };
}

function end(messageId: string, outcome: StreamOutcome = 'complete', ifIdleMs?: number): NewStreamWrite {
  return { ...by('bob'), kind: 'end', messageId, outcome, ...(ifIdleMs !== undefined && { ifIdleMs }) };
}

async function append(write: NewStreamWrite, rules: Partial<StreamRules> = {}): Promise<Streamed> {
  return (await storage.streams.appendBatch([write], { ...anyStream, ...rules }, 10_000))[0]!;
}

const outcome = async (...args: Parameters<typeof append>) => (await append(...args)).outcome;
const read = (messageId: string) => storage.messages.get(chatId, messageId);

async function started(text = ''): Promise<string> {
  const write = start(text);
  expect(await outcome(write)).toBe('stored');
  return write.messageId;
}

describe('a streamed message', () => {
  test('is one row that grows: its beginning, each flush and its end take the chat’s next numbers', async () => {
    const first = start('Once');
    const epoch = storage.database.epochs.current;
    const place = { createdAt: expect.any(Date), messageId: first.messageId, epoch };
    expect(await append(first)).toEqual({ outcome: 'stored', seq: 2, nextPart: 1, ...place, what: { kind: 'start' } });
    const id = first.messageId;
    const message = { id, chatId, seq: 2, sender: user('bob'), streaming: 'STREAMING' };
    expect(await read(id)).toMatchObject({ ...message, updateSeq: 2, text: 'Once' });
    const part = { chatId, messageId: id, seq: 3, offset: 4, text: ' upon 😀' };
    expect(await append(parts(id, 1, ' upon', ' 😀'))).toEqual({
      ...{ outcome: 'stored', seq: 3, nextPart: 3, ...place, what: { kind: 'part', part } },
    });
    expect(await append(parts(id, 3, '!'))).toMatchObject({ seq: 4, what: { part: { offset: 11, text: '!' } } });
    expect(await read(id)).toMatchObject({ ...message, updateSeq: 4, text: 'Once upon 😀!' });
    const ended = await append(end(id));
    expect(ended).toMatchObject({
      outcome: 'stored',
      seq: 5,
      what: { kind: 'end', message: { text: 'Once upon 😀!' } },
    });
    const final = await read(id);
    expect(final).toMatchObject({ updateSeq: 5, text: 'Once upon 😀!', streaming: undefined });
    expect((ended as { what: { message: unknown } }).what.message).toEqual(final);
    expect((await storage.chats.get(chatId, 'alice')).own?.unreadCount).toBe(1);
    const page = await storage.messages.findChanges(chatId, 1, 100);
    expect(page?.batch.entries).toEqual([
      { kind: 'message', message: final },
      { kind: 'covered', chatId, fromSeq: 3, toSeq: 4 },
      { kind: 'message_changed', message: final },
    ]);
  });

  test('that is begun again is answered with the first message and the number of the next part', async () => {
    const first = start('a', { clientMessageId: 'x' });
    const stored = await append(first);
    const id = first.messageId;
    await append(parts(id, 1, 'b', 'c'));
    const { seq, createdAt } = stored as { seq: number; createdAt: Date };
    const again = start('a', { clientMessageId: 'x' });
    expect(await append(again)).toEqual({ outcome: 'repeated', messageId: id, seq, createdAt, nextPart: 3 });
    expect(await outcome(start('other', { clientMessageId: 'x' }))).toBe('reused');
    expect(await outcome(start('other', { clientMessageId: 'x', actor: 'carol' }))).toBe('stored');
  });

  test('takes each part once: of a flush that it has in part it adds the rest', async () => {
    const id = await started();
    await append(parts(id, 1, 'a', 'b'));
    const { createdAt } = await read(id);
    expect(await append(parts(id, 1, 'a', 'b'))).toMatchObject({ outcome: 'repeated', seq: 3, nextPart: 3 });
    expect(await append(parts(id, 2, 'b', 'c', 'd'))).toMatchObject({
      ...{ outcome: 'stored', seq: 4, nextPart: 5, what: { part: { offset: 2, text: 'cd' } } },
    });
    expect(await append(parts(id, 6, 'f'))).toEqual({ outcome: 'part_missing', nextPart: 5 });
    expect(await read(id)).toMatchObject({ text: 'abcd', updateSeq: 4, createdAt });
    await append(end(id));
    expect(await append(parts(id, 4, 'd'))).toMatchObject({ outcome: 'repeated' });
    expect(await outcome(parts(id, 5, 'e'))).toBe('not_streaming');
  });

  test('that has ended stays as it ended: the same end again is a repetition, another one is refused', async () => {
    const id = await started();
    expect(await append(end(id, 'cancelled'))).toMatchObject({ outcome: 'stored', seq: 3 });
    expect(await read(id)).toMatchObject({ streaming: 'CANCELLED' });
    expect(await append(end(id, 'cancelled'))).toMatchObject({ outcome: 'repeated', seq: 3 });
    expect(await outcome(end(id))).toBe('not_streaming');
    // An edit later does not make it complete, nor does it change the answer.
    const edited = await storage.edit({ chatId, id }, 'edited');
    expect(edited).toMatchObject({ streaming: 'CANCELLED', updateSeq: 4 });
    expect(await read(id)).toEqual(edited);
    expect(await append(end(id, 'cancelled'))).toMatchObject({ outcome: 'repeated', seq: 3 });
  });

  test('cannot be edited while it grows; the other changes of the batch are not refused for it', async () => {
    const id = await started('a');
    await expect(storage.edit({ chatId, id }, 'b')).rejects.toMatchObject({ reason: 'MESSAGE_STREAMING' });
    await append(end(id));
    expect(await storage.edit({ chatId, id }, 'b')).toMatchObject({ text: 'b', streaming: undefined });
  });

  test('that is deleted takes no more parts and no end, and is gone for the time-out', async () => {
    const id = await started('secret');
    await append(parts(id, 1, ' words'));
    expect(await storage.delete({ chatId, id })).toMatchObject({ text: '', streaming: undefined });
    expect(await outcome(parts(id, 2, '!'))).toBe('message_deleted');
    expect(await outcome(parts(id, 1, ' words'))).toBe('repeated');
    expect(await outcome(end(id))).toBe('message_deleted');
    expect(await read(id)).toMatchObject({ text: '', streaming: undefined });
    expect(await idle(0)).toEqual([]);
    const { rows } = await storage.database.pool.query('select streaming from messages where id = $1', [id]);
    expect(rows).toEqual([{ streaming: null }]);
    const other = await started();
    await storage.delete({ chatId, id: other }, true);
    expect(await outcome(parts(other, 1, '!'))).toBe('message_not_found');
  });

  test('may be as long as the rules say, counted in characters', async () => {
    const rules = { maxTextLength: 3 };
    expect(await outcome(start('😀😀😀😀'), rules)).toBe('too_long');
    const id = await started('😀😀');
    expect(await outcome(parts(id, 1, '😀', '😀'), rules)).toBe('too_long');
    expect(await outcome(parts(id, 1, '😀'), rules)).toBe('stored');
  });

  test('is continued by its sender and by backends alone, while the sender may send', async () => {
    const id = await started();
    const as = (actor: string, asService = false) => ({ ...parts(id, 1, 'x'), ...by(actor, asService) });
    expect(await outcome(as('alice'))).toBe('not_the_sender');
    expect(await outcome(as('nobody'))).toBe('not_a_member');
    expect(await outcome({ ...as('bob'), chatId: randomUUID() })).toBe('chat_not_found');
    expect(await outcome(parts(randomUUID(), 1, 'x'))).toBe('message_not_found');
    expect(await outcome(as('bob'), { sendingRoles: ['OWNER'] })).toBe('role_too_low');
    expect(await outcome(as('backend', true))).toBe('stored');
    await storage.members.remove(chatId, user('alice'), 'bob', allow);
    expect(await outcome(parts(id, 2, 'x'))).toBe('not_a_member');
    const ordinary = newMessage(chatId, 'alice');
    await storage.messages.appendBatch([ordinary], ['OWNER']);
    expect(await outcome({ ...parts(ordinary.id, 1, 'x'), ...by('alice') })).toBe('not_streaming');
  });

  test('waits for a chat that another transaction has locked', async () => {
    const id = await started();
    const release = await holdChat(storage.dsn, { id: chatId });
    expect(await storage.streams.appendBatch([parts(id, 1, 'x')], anyStream)).toEqual([
      { outcome: 'busy', chatType: 'GROUP' },
    ]);
    await release();
    expect(await outcome(parts(id, 1, 'x'))).toBe('stored');
  });

  test('in one batch with others, each chat numbers its own, in order', async () => {
    const id = await started();
    const other = (await storage.chats.createGroup(user('bob'), 'other', [])).chat.id;
    const [a, b] = [start('a'), start('b')];
    const writes = [a, { ...start('c'), chatId: other }, parts(id, 1, 'x'), b];
    const results = await storage.streams.appendBatch(writes, anyStream, 10_000);
    expect(results.map((result) => 'seq' in result && result.seq)).toEqual([3, 2, 4, 5]);
  });
});

test('pages of long messages have fewer of them, and all of them together', async () => {
  const text = 'x'.repeat(90_000);
  const ids: string[] = [];
  for (let i = 0; i < 20; i += 1) ids.push(await started(text));
  const listed: string[] = [];
  for (let afterSeq = 1, more = true; more; ) {
    const { messages, hasMore } = await storage.messages.listHistory(chatId, { afterSeq }, 100);
    expect(messages.length).toBeLessThan(10);
    listed.push(...messages.map(({ id }) => id));
    [afterSeq, more] = [messages.at(-1)!.seq, hasMore];
  }
  expect(listed).toEqual(ids);
  const { messages: newest, hasMore } = await storage.messages.listHistory(chatId, 'newest', 100);
  expect(newest.map(({ id }) => id)).toEqual(ids.slice(-newest.length));
  expect([newest.length < 10, hasMore]).toEqual([true, true]);
  const changed: string[] = [];
  for (let after = 1, more = true; more; ) {
    const page = (await storage.messages.findChanges(chatId, after, 100))!;
    expect(page.batch.entries.length).toBeLessThan(10);
    changed.push(...page.batch.entries.flatMap((entry) => ('message' in entry ? [entry.message.id] : [])));
    [after, more] = [page.batch.lastSeq, page.hasMore];
  }
  expect(changed).toEqual(ids);
});

/** Of the test's chat. */
async function idle(ms: number): Promise<string[]> {
  const found = await storage.streams.findIdle(ms, 1_000);
  return found.filter((one) => one.chatId === chatId).map(({ messageId }) => messageId);
}

describe('the time-out', () => {
  test('finds messages that grow and whose senders were not heard', async () => {
    const id = await started();
    const ended = await started();
    await append(end(ended));
    expect(await idle(3_600_000)).toEqual([]);
    expect(await idle(0)).toEqual([id]);
    await append(end(id, 'cancelled'));
    expect(await idle(0)).toEqual([]);
  });

  test('ends a message only if nothing was heard in between', async () => {
    const id = await started();
    expect(await outcome(end(id, 'cancelled', 3_600_000))).toBe('not_idle');
    expect(await outcome(parts(id, 1, 'x'))).toBe('stored');
    expect(await outcome(end(id, 'cancelled', 0))).toBe('stored');
  });

  test('uses an index that holds growing messages alone', async () => {
    const { rows } = await storage.database.pool.query(
      `explain select chat_id, id from messages where streaming = 'streaming' and streamed_at <= clock_timestamp() limit 10`,
    );
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('messages_streaming');
  });
});

test('edits of other messages in a batch with a growing one are not lost', async () => {
  const id = await started();
  const other = newMessage(chatId, 'bob');
  await storage.messages.appendBatch([other], ['MEMBER']);
  const edit = (messageId: string) => ({
    ...{ chatId, messageId, actorId: 'bob', clientChangeId: randomUUID(), ifVersion: undefined, asService: false },
    ...{ change: { kind: 'edited', text: 'x' } as const, digest: Buffer.from('x') },
  });
  const batch = [edit(other.id), edit(id)];
  await expect(storage.changes.appendBatch(batch, anyChange)).rejects.toMatchObject({ reason: 'MESSAGE_STREAMING' });
  // ChangeWriter halves a batch that is refused.
  expect(await storage.changes.appendBatch(batch.slice(0, 1), anyChange)).toMatchObject([{ outcome: 'stored' }]);
});
