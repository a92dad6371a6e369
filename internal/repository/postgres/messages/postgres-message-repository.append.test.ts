import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../testing/eventually.ts';
import { messagesOf } from '../../../testing/services/chat-state.ts';
import { allow, newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import type { Appended, NewMessage } from '../../message-repository.ts';

const senders = ['MEMBER', 'ADMIN', 'OWNER'] as const;

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage();
});
afterAll(() => storage.close());

async function newGroup(ownerId = 'alice', memberIds: string[] = []): Promise<string> {
  return (await storage.chats.createGroup(user(ownerId), 'group', memberIds)).chat.id;
}

/** Appends a batch, and then the messages of chats that were busy. */
async function append(...batch: NewMessage[]): Promise<Appended[]> {
  const answers = await storage.messages.appendBatch(batch, senders, 10_000);
  const busy = batch.filter((_, i) => answers[i]!.outcome === 'busy');
  if (busy.length === 0) return answers;
  const later = await append(...busy);
  return answers.map((answer) => (answer.outcome === 'busy' ? later.shift()! : answer));
}

/** The statements that wait for a lock in this database. */
async function waiting(): Promise<number> {
  const { rowCount } = await storage.database.pool.query(
    `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rowCount ?? 0;
}

describe('a batch', () => {
  test('is numbered in its order from the number after the chat’s last', async () => {
    const [one, other] = [await newGroup(), await newGroup()];
    const batch = [one, other, one, one, other].map((chatId) => newMessage(chatId, 'alice'));

    const answers = await append(...batch);

    expect(answers.map(({ outcome, seq }) => [outcome, seq])).toEqual([2, 2, 3, 4, 3].map((seq) => ['stored', seq]));
    expect(answers.map(({ messageId }) => messageId)).toEqual(batch.map(({ id }) => id));
    const stored = (await messagesOf(storage, one)).slice(1);
    expect(stored.map(({ id, seq, updateSeq, createdAt }) => ({ id, seq, updateSeq, createdAt }))).toEqual(
      [0, 2, 3].map((i) => ({
        id: batch[i]!.id,
        seq: answers[i]!.seq,
        updateSeq: answers[i]!.seq,
        createdAt: answers[i]!.createdAt,
      })),
    );
    expect(await storage.messages.listHeads([one, other, randomUUID()])).toEqual(
      new Map([
        [one, 4],
        [other, 3],
      ]),
    );
  });

  test('keeps every text as it is, and names, and times that do not run against the numbers', async () => {
    const chatId = await newGroup();
    const nasty = [
      'NULL',
      'null',
      '',
      '"',
      '\\',
      '{a,b}',
      "'; drop table x --",
      '\u{1f469}‍\u{1f467}',
      '\t\r\n',
      ' x ',
      'ﷺ',
      '\uffff',
    ];
    const anyText = fc.string({ unit: 'binary', maxLength: 50 }).map((text) => text.replaceAll('\0', ''));
    const texts = [...nasty, ...fc.sample(anyText, 50)];

    await append(
      ...texts.map((text) => ({ ...newMessage(chatId, 'alice', { text }), sender: { id: 'alice', name: text } })),
    );

    const stored = (await messagesOf(storage, chatId)).slice(1);
    expect(stored.map(({ text }) => text)).toEqual(texts);
    expect(stored.map(({ sender }) => sender.name)).toEqual(texts);
    await append(newMessage(chatId, 'alice'));
    const times = (await messagesOf(storage, chatId)).map(({ createdAt }) => createdAt.getTime());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test('is refused as a whole when PostgreSQL cannot hold one of its texts', async () => {
    const chatId = await newGroup();
    await expect(append(newMessage(chatId, 'alice'), newMessage(chatId, 'alice', { text: '\0' }))).rejects.toThrow();
    expect(await messagesOf(storage, chatId)).toHaveLength(1);
  });

  test('has an outcome for each message', async () => {
    const chatId = await newGroup('alice', ['bob', 'reader']);
    await storage.database.pool.query(`update members set role = 'READER' where user_id = 'reader' and chat_id = $1`, [
      chatId,
    ]);

    const answers = await append(
      newMessage(chatId, 'alice'),
      newMessage(randomUUID(), 'alice'),
      newMessage(chatId, 'stranger'),
      newMessage(chatId, 'reader'),
      newMessage(chatId, 'bob'),
    );

    expect(answers.map(({ outcome }) => outcome)).toEqual([
      'stored',
      'chat_not_found',
      'not_a_member',
      'role_too_low',
      'stored',
    ]);
    expect(answers.map(({ chatType }) => chatType)).toEqual(['GROUP', undefined, 'GROUP', 'GROUP', 'GROUP']);
    expect((await messagesOf(storage, chatId)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });
});

describe('a message that is sent again', () => {
  test('is answered by the first one, and takes no number', async () => {
    const chatId = await newGroup();
    const first = newMessage(chatId, 'alice');
    const [answer] = await append(first);

    const again = { ...first, id: newMessage(chatId, 'alice').id };
    const [repeated, next] = await append(again, newMessage(chatId, 'alice'));

    expect(repeated).toEqual({ ...answer, outcome: 'repeated', epoch: undefined });
    expect(next).toMatchObject({ outcome: 'stored', seq: 3 });
  });

  test('with other content is refused, and the first one stays as it was', async () => {
    const chatId = await newGroup();
    const first = newMessage(chatId, 'alice', { text: 'first' });
    await append(first);

    const [answer] = await append(
      newMessage(chatId, 'alice', { text: 'other', clientMessageId: first.clientMessageId }),
    );

    expect(answer).toMatchObject({ outcome: 'reused', messageId: first.id, seq: 2 });
    expect((await messagesOf(storage, chatId)).at(-1)).toMatchObject({ id: first.id, text: 'first' });
  });

  test('is compared with what was sent first, even when that has been edited', async () => {
    const chatId = await newGroup();
    const first = newMessage(chatId, 'alice', { text: 'first' });
    await append(first);
    await storage.edit(first, 'edited');

    const [same, other] = await Promise.all([
      append(newMessage(chatId, 'alice', { text: 'first', clientMessageId: first.clientMessageId })),
      append(newMessage(chatId, 'alice', { text: 'edited', clientMessageId: first.clientMessageId })),
    ]);

    expect(same[0]).toMatchObject({ outcome: 'repeated', messageId: first.id, seq: 2 });
    expect(other[0]).toMatchObject({ outcome: 'reused' });
  });

  test('by another sender, or in another chat, is another message', async () => {
    const [chatId, otherChatId] = [await newGroup('alice', ['bob']), await newGroup()];
    const clientMessageId = 'the same';
    const answers = await append(
      newMessage(chatId, 'alice', { clientMessageId }),
      newMessage(chatId, 'bob', { clientMessageId }),
      newMessage(otherChatId, 'alice', { clientMessageId }),
    );
    expect(answers.map(({ outcome }) => outcome)).toEqual(['stored', 'stored', 'stored']);
  });

  test('by a user who has been removed since gets the first answer again; a new message is refused', async () => {
    const chatId = await newGroup('alice', ['bob']);
    const first = newMessage(chatId, 'bob');
    const [answer] = await append(first);
    await storage.members.remove(chatId, user('alice'), 'bob', allow);

    const answers = await append({ ...first, id: randomUUID() }, newMessage(chatId, 'bob'));

    expect(answers[0]).toEqual({ ...answer, outcome: 'repeated', epoch: undefined });
    expect(answers[1]).toMatchObject({ outcome: 'not_a_member', chatType: 'GROUP' });
  });

  test('from many connections at once is stored once, and all get the same answer', async () => {
    const chatId = await newGroup();
    const first = newMessage(chatId, 'alice');

    const answers = await Promise.all(Array.from({ length: 10 }, () => append({ ...first, id: randomUUID() })));

    expect(
      new Set(answers.map(([answer]) => `${answer?.messageId} ${answer?.seq} ${answer?.createdAt.getTime()}`)).size,
    ).toBe(1);
    expect(answers.filter(([answer]) => answer?.outcome === 'stored')).toHaveLength(1);
    expect(await messagesOf(storage, chatId)).toHaveLength(2);
  });
});

test('while the database is set to jetstream, nothing is written', async () => {
  const group = await newGroup();
  const setMode = (mode: string | null) => storage.database.pool.query('update ingest.mode set mode = $1', [mode]);
  await append(newMessage(group, 'alice'));
  try {
    await setMode('jetstream');
    await expect(append(newMessage(group, 'alice'))).rejects.toMatchObject({ reason: 'STORAGE_UNAVAILABLE' });
    expect(await append()).toEqual([]);
    expect(await messagesOf(storage, group)).toHaveLength(2);
    await setMode('direct');
    expect(await append(newMessage(group, 'alice'))).toMatchObject([{ outcome: 'stored', seq: 3 }]);
  } finally {
    await setMode(null);
  }
});

describe('batches from several connections at once', () => {
  test('number each chat 1, 2, 3, … without gaps or doubles, keep their own order, and never wait for each other in a circle', async () => {
    const chatIds = await Promise.all(Array.from({ length: 5 }, () => newGroup()));
    const writers = Array.from({ length: 10 }, (_, writer) => async () => {
      const sent: { message: NewMessage; answer: Appended }[] = [];
      for (let round = 0; round < 8; round += 1) {
        // Each writer names the chats in an order of its own: their locks must be taken in one order all the same.
        const turned = chatIds.map((_, i) => chatIds[(i * (1 + (writer % 4)) + round) % chatIds.length]!);
        const batch = [...turned, ...turned.toReversed()].map((chatId) =>
          newMessage(chatId, 'alice', { text: `${writer}` }),
        );
        const answers = await append(...batch);
        sent.push(...batch.map((message, i) => ({ message, answer: answers[i]! })));
      }
      return sent;
    });

    const sent = await Promise.all(writers.map((write) => write()));

    for (const chatId of chatIds) {
      const stored = await messagesOf(storage, chatId);
      expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, i) => i + 1));
      expect(stored).toHaveLength(1 + sent.flat().filter(({ message }) => message.chatId === chatId).length);
      const seqOf = new Map(stored.map(({ id, seq }) => [id, seq]));
      for (const ofWriter of sent) {
        const own = ofWriter.filter(({ message }) => message.chatId === chatId);
        const seqs = own.map(({ message }) => seqOf.get(message.id)!);
        expect(own.map(({ answer }) => answer.seq)).toEqual(seqs);
        expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
      }
    }
    expect(await storage.messages.listHeads(chatIds)).toEqual(new Map(chatIds.map((chatId) => [chatId, 161])));
  });

  test('are judged by what was committed while they waited for the chat’s lock', async () => {
    const chatId = await newGroup('alice', ['bob', 'carol']);
    const outside = await storage.connect();
    await outside.query('begin');
    await outside.query('select from chats where id = $1 for no key update', [chatId]);
    await outside.query(`delete from members where chat_id = $1 and user_id = 'bob'`, [chatId]);
    await outside.query(`update members set role = 'READER' where chat_id = $1 and user_id = 'carol'`, [chatId]);
    await outside.query('update chats set last_seq = 10 where id = $1', [chatId]);
    const batch = append(newMessage(chatId, 'bob'), newMessage(chatId, 'carol'), newMessage(chatId, 'alice'));
    await eventually(async () => expect(await waiting()).toBe(1));

    await outside.query('commit');

    expect((await batch).map(({ outcome }) => outcome)).toEqual(['not_a_member', 'role_too_low', 'stored']);
    expect((await batch)[2]?.seq).toBe(11);
  });

  test('get the first answer when the first attempt was still being committed', async () => {
    const chatId = await newGroup();
    const first = newMessage(chatId, 'alice');
    const outside = await storage.connect();
    await outside.query('begin');
    const values = [
      [chatId],
      [first.id],
      ['alice'],
      [''],
      [first.clientMessageId],
      [first.contentHash],
      [first.text],
      senders,
    ];
    await outside.query('select append_messages($1, $2, $3, $4, $5, $6, $7, $8)', values);
    const again = append({ ...first, id: randomUUID() });
    await eventually(async () => expect(await waiting()).toBe(1));

    await outside.query('commit');

    expect(await again).toEqual([expect.objectContaining({ outcome: 'repeated', messageId: first.id, seq: 2 })]);
  });

  test('leave out the messages of a chat that is locked, and wait for no chat but the first', async () => {
    const [first, locked, other] = [await newGroup(), await newGroup(), await newGroup()];
    const outside = await storage.connect();
    await outside.query('begin');
    await outside.query('select from chats where id = $1 for update', [locked]);
    const batch = [locked, first, other, locked].map((chatId) => newMessage(chatId, 'alice'));

    const outcomes = async (...args: Parameters<typeof storage.messages.appendBatch>) =>
      (await storage.messages.appendBatch(...args)).map(({ outcome }) => outcome);
    expect(await outcomes(batch, senders)).toEqual(['busy', 'stored', 'stored', 'busy']);
    const others = [first, locked, other].map((chatId) => newMessage(chatId, 'alice'));
    expect(await outcomes(others, senders, 10_000)).toEqual(['stored', 'busy', 'stored']);
    // Waits, and then gives up the chat but not the batch.
    expect(await outcomes([...batch.slice(0, 1), newMessage(other, 'alice')], senders, 10)).toEqual(['busy', 'stored']);
    await outside.query('commit');

    expect(await outcomes(batch, senders)).toEqual(['stored', 'repeated', 'repeated', 'stored']);
  });

  test('find no chat that was deleted while they waited', async () => {
    const chatId = await newGroup();
    const outside = await storage.connect();
    await outside.query('begin');
    for (const table of ['messages', 'members'])
      await outside.query(`delete from ${table} where chat_id = $1`, [chatId]);
    await outside.query('delete from chats where id = $1', [chatId]);
    const batch = append(newMessage(chatId, 'alice'));
    await eventually(async () => expect(await waiting()).toBe(1));

    await outside.query('commit');

    expect(await batch).toEqual([expect.objectContaining({ outcome: 'chat_not_found' })]);
  });
});
