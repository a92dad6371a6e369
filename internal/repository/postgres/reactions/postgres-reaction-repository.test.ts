import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Message } from '../../../model/message.ts';
import { holdChat } from '../../../testing/faults/row-lock.ts';
import { testRandom } from '../../../testing/random.ts';
import { allow, newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import type { NewReaction, ReactionRules } from '../../reaction-repository.ts';

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
  sent = await send();
});

async function send(): Promise<Message> {
  const message = newMessage(chatId, 'bob');
  await storage.messages.appendBatch([message], ['MEMBER', 'OWNER']);
  return storage.messages.get(chatId, message.id);
}

function reaction(actor: string, emoji: string, fields: Partial<NewReaction> = {}): NewReaction {
  const { added = true, messageId = sent.id } = fields;
  return {
    ...{ chatId, messageId, emoji, added, actor: user(actor), clientChangeId: '', asService: false },
    ...{ digest: Buffer.from(`${emoji} ${added}`), ...fields },
  };
}

const rules: ReactionRules = { reactingRoles: ['MEMBER', 'ADMIN', 'OWNER'], maxKinds: 3 };

const append = (...batch: NewReaction[]) => storage.reactions.appendBatch(batch, rules, 10_000);
const outcomes = async (...batch: NewReaction[]) => (await append(...batch)).map(({ outcome }) => outcome);

const countsFor = async (userId: string, { id } = sent) => {
  const { reactions = [] } = await storage.messages.get(chatId, id, { userId, guard: allow });
  return reactions.map(({ emoji, count, own }) => [emoji, count, own]);
};

test('a batch numbers its changes in order, across chats and messages', async () => {
  const other = (await storage.chats.createGroup(user('bob'), 'other', [])).chat.id;
  const elsewhere = newMessage(other, 'bob');
  await storage.messages.appendBatch([elsewhere], ['OWNER']);
  const second = await send();
  const answers = await append(
    reaction('alice', '👍'),
    reaction('bob', '👍', { chatId: other, messageId: elsewhere.id }),
    reaction('bob', '👍', { messageId: second.id }),
    reaction('mallory', '🎉'),
    reaction('carol', '🎉'),
  );
  expect(answers).toMatchObject([
    { outcome: 'stored', change: { seq: 4, messageSeq: 2, count: { count: 1, seq: 4 } } },
    { outcome: 'stored', change: { seq: 3, chatId: other } },
    { outcome: 'stored', change: { seq: 5, messageSeq: 3 } },
    { outcome: 'not_a_member', chatType: 'GROUP' },
    { outcome: 'stored', change: { seq: 6, user: user('carol'), added: true } },
  ]);
  expect((await storage.chats.get(chatId, 'bob')).lastSeq).toBe(6);
});

test.each([
  ['an unknown chat', () => reaction('bob', '👍', { chatId: randomUUID() }), 'chat_not_found'],
  ['an unknown message', () => reaction('bob', '👍', { messageId: randomUUID() }), 'message_not_found'],
  ['a stranger', () => reaction('mallory', '👍'), 'not_a_member'],
  ['a backend', () => reaction('backend', '👍', { asService: true }), 'stored'],
  ['the removal of what is not there', () => reaction('bob', '👍', { added: false }), 'unchanged'],
])('%s', async (_, make, expected) => {
  expect(await outcomes(make())).toEqual([expected]);
});

test('who may only read cannot react', async () => {
  await storage.members.setRole(chatId, user('alice'), 'bob', 'READER', allow);
  expect(await outcomes(reaction('bob', '👍'))).toEqual(['role_too_low']);
});

test('a message has no more kinds than allowed, however many come at once; a kind that is there can be used, and removed', async () => {
  const kinds = ['👍', '🎉', '❤️', '🚀', '🐢'];
  const all = kinds.map((emoji) => reaction('alice', emoji));
  expect(await outcomes(...all)).toEqual(['stored', 'stored', 'stored', 'reaction_limit', 'reaction_limit']);
  expect(await outcomes(reaction('bob', '👍'), reaction('bob', '🚀'))).toEqual(['stored', 'reaction_limit']);
  expect(await outcomes(reaction('alice', '🎉', { added: false }))).toEqual(['stored']);
  expect(await outcomes(reaction('bob', '🚀'))).toEqual(['stored']);
});

test('a locked chat is busy, a repetition there is recognised', async () => {
  const first = reaction('alice', '👍', { clientChangeId: 'once' });
  await append(first);
  await holdChat(storage.dsn, { id: chatId });
  expect(await storage.reactions.appendBatch([reaction('bob', '🎉')], rules)).toEqual([
    { outcome: 'busy', chatType: 'GROUP' },
  ]);
  expect(await storage.reactions.appendBatch([first], rules)).toMatchObject([{ outcome: 'repeated', seq: 3 }]);
});

test('pages show the numbers of users and whose the reactions are, in the order of the first ones', async () => {
  await append(reaction('carol', '🎉'), reaction('alice', '👍'));
  await append(reaction('bob', '👍'));
  expect(await countsFor('alice')).toEqual([
    ['🎉', 1, false],
    ['👍', 2, true],
  ]);
  await append(reaction('carol', '🎉', { added: false }));
  await append(reaction('bob', '🎉'));
  // The kind that has begun anew comes last.
  expect(await countsFor('carol')).toEqual([
    ['👍', 2, false],
    ['🎉', 1, false],
  ]);
});

test('a deletion removes all rows of the reactions, also one by a node of an earlier release', async () => {
  await append(reaction('alice', '👍'), reaction('bob', '🎉'));
  await storage.delete(sent);
  for (const table of ['reactions', 'reaction_counts']) {
    const { rows } = await storage.database.pool.query(`select from ${table} where chat_id = $1`, [chatId]);
    expect(rows).toEqual([]);
  }
  const page = await storage.messages.findChanges(chatId, 2, 10);
  expect(page!.batch.entries).toMatchObject([
    { kind: 'covered', fromSeq: 3, toSeq: 4 },
    { kind: 'message_changed', message: { updateSeq: 5 } },
  ]);
});

describe('under random concurrent changes', () => {
  test('counts, lists and what a reader catches up with agree with what was stored, at every cut', async () => {
    const random = testRandom();
    const users = ['alice', 'bob', 'carol'];
    const messages = [sent, await send()];
    const emojis = ['👍', '🎉'];
    const known: { seq: number; key: string; added: boolean }[] = [];
    const change = async () => {
      const [actor, emoji, message] = [random.pick(users)!, random.pick(emojis)!, random.pick(messages)!];
      const added = random.chance(0.6);
      const [answer] = await append(reaction(actor, emoji, { messageId: message.id, added }));
      if (answer?.outcome === 'stored')
        known.push({ seq: answer.change.seq, key: `${message.id} ${emoji} ${actor}`, added });
    };
    for (let round = 0; round < 10; round += 1) await Promise.all(Array.from({ length: 12 }, change));
    known.sort((one, other) => one.seq - other.seq);
    expect(known.map(({ seq }) => seq)).toEqual(known.map((_, i) => 4 + i));
    const final = new Map(known.map(({ key, added }) => [key, added]));
    const active = new Set([...final].filter(([, added]) => added).map(([key]) => key));

    for (const { id } of messages) {
      const { items } = await storage.reactions.list(
        { chatId, messageId: id, reader: { userId: 'bob', guard: allow } },
        undefined,
        100,
      );
      const listed = items.map(({ emoji, user: { id: actor } }) => `${id} ${emoji} ${actor}`);
      expect(new Set(listed)).toEqual(new Set([...active].filter((key) => key.startsWith(id))));
      for (const [emoji, count, own] of await countsFor('bob', { id } as Message)) {
        expect(count).toBe([...active].filter((key) => key.startsWith(`${id} ${emoji}`)).length);
        expect(own).toBe(active.has(`${id} ${emoji} bob`));
      }
    }
    for (let cut = 3; cut <= 3 + known.length; cut += 1) {
      // The state of a reader that has read up to the cut.
      const state = new Map(known.filter(({ seq }) => seq <= cut).map(({ key, added }) => [key, added]));
      let next = cut;
      for (let hasMore = true; hasMore; ) {
        const page = (await storage.messages.findChanges(chatId, next, 3))!;
        for (const entry of page.batch.entries) {
          if (entry.kind !== 'reaction') continue;
          const { messageId, emoji, user: actor, added } = entry.reaction;
          state.set(`${messageId} ${emoji} ${actor.id}`, added);
        }
        next = page.batch.lastSeq || next;
        hasMore = page.hasMore;
      }
      expect([cut, state]).toEqual([cut, final]);
    }
  });
});
