import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatError } from '../../../model/errors.ts';
import type { Mention } from '../../../model/mention.ts';
import type { Message } from '../../../model/message.ts';
import { testRandom } from '../../../testing/random.ts';
import { allow, newMessage, openTestStorage, type TestStorage, user } from '../../../testing/services/test-storage.ts';
import type { MovedMark } from '../../read-mark-repository.ts';

let storage: TestStorage;
beforeAll(async () => {
  storage = await openTestStorage({ poolSize: 16 });
});
afterAll(() => storage.close());

const random = testRandom();
/** These stay members, and have two devices each; the others come and go. */
const stable = ['ann', 'ben', 'cat'];
const moving = ['dan', 'eve', 'fay'];
const everyoneIds = [...stable, ...moving];
const pick = <T>(values: readonly T[]): T => random.pick(values)!;

type Mark = Pick<MovedMark, 'readSeq' | 'readGeneration'>;

/** The newer of two states of a mark, as the contract defines it. */
const newer = (one: Mark, other: Mark): Mark =>
  other.readGeneration > one.readGeneration ||
  (other.readGeneration === one.readGeneration && other.readSeq > one.readSeq)
    ? other
    : one;

/** The messages of the chat in their newest state, of which the history is made. */
async function readHistory(chatId: string): Promise<Message[]> {
  const newest = new Map<string, Message>();
  for (let afterSeq = 0; ; ) {
    const page = await storage.messages.findChanges(chatId, afterSeq, 500);
    for (const entry of page!.batch.entries) {
      if (!('message' in entry)) continue;
      const known = newest.get(entry.message.id);
      if (!known || known.updateSeq <= entry.message.updateSeq) newest.set(entry.message.id, entry.message);
    }
    if (!page!.hasMore) return [...newest.values()];
    afterSeq = page!.batch.lastSeq;
  }
}

/** Where the user's present membership begins, by the history. */
function joinedSeqOf(history: readonly Message[], userId: string): number {
  const begins = ({ system, sender }: Message) =>
    system?.kind === 'members_added'
      ? system.users.some(({ id }) => id === userId)
      : system?.kind === 'chat_created' || (system?.kind === 'member_joined' && sender.id === userId);
  return Math.max(...history.filter(begins).map(({ seq }) => seq));
}

test('at every quiet moment all answers have the counts of a recount, and devices agree on the mark', async () => {
  const { chats, members, messages, readMarks } = storage;
  const { chat } = await chats.createGroup(user('ann'), 'group', ['ben', 'cat', ...moving]);
  const chatId = chat.id;
  const sent: { id: string; chatId: string }[] = [];
  const told = new Map(stable.map((id) => [id, [] as Mark[]]));
  const head = async () => (await chats.get(chatId, 'ann')).lastSeq;

  /** Whom a text of four characters mentions, by chance. */
  const anyMentions = (): { mentions?: Mention[] } => {
    if (random.chance(0.5)) return {};
    const places = [0, 2].filter(() => random.chance(0.6));
    const mentions = places.map((offset) => {
      const everyone = random.chance(0.3);
      return { userId: everyone ? '' : pick(everyoneIds), everyone, offset, length: 1 };
    });
    return mentions.length > 0 ? { mentions } : {};
  };
  const send = async () => {
    const batch = Array.from({ length: 1 + random.below(4) }, () => ({
      ...newMessage(chatId, pick(everyoneIds), { ...(random.chance(0.2) && { silent: true }), ...anyMentions() }),
      asService: true,
    }));
    const appended = await messages.appendBatch(batch, ['OWNER', 'MEMBER'], 20_000);
    const stored = appended.filter(({ outcome }) => outcome === 'stored');
    sent.push(...stored.map(({ messageId }) => ({ id: messageId, chatId })));
  };
  const note = (userId: string, mark: MovedMark | undefined) => {
    if (!mark?.moved) return;
    const { readSeq, readGeneration } = mark;
    told.get(userId)?.push({ readSeq, readGeneration });
  };
  const operations: (() => Promise<unknown>)[] = [
    send,
    send,
    send,
    async () => sent.length > 0 && storage.edit(pick(sent), pick(['text', 'edit']), anyMentions()),
    async () => sent.length > 0 && storage.delete(pick(sent)),
    async () => sent.length > 0 && storage.delete(pick(sent), true),
    async () => {
      const [userId, seq] = [pick(everyoneIds), random.below((await head()) + 1)];
      const ifGeneration = random.chance(0.3) ? random.below(5) : undefined;
      note(userId, await readMarks.advance(chatId, userId, { seq, ifGeneration }));
    },
    async () => {
      const [userId, fromSeq] = [pick(everyoneIds), 1 + random.below(await head())];
      note(userId, await readMarks.moveBack(chatId, userId, fromSeq));
    },
    () => members.add(chatId, user('ann'), [pick(moving)], allow),
    () => members.leave(chatId, user(pick(moving)), allow),
    () => members.remove(chatId, user('ann'), pick(moving), allow),
  ];
  /** A message may be gone already, a user no member: such refusals change nothing. */
  const refused = (error: unknown) => {
    const expected = error instanceof ChatError ? error.reason : String(error);
    if (!/NOT_A_MEMBER|MEMBER_NOT_FOUND|was not stored/.test(expected)) throw error;
  };

  for (let round = 0; round < 10; round += 1) {
    await Promise.all(Array.from({ length: 25 }, () => pick(operations)().catch(refused)));

    const history = await readHistory(chatId);
    for (const userId of everyoneIds) {
      const { own } = await chats.get(chatId, userId);
      const mark = await readMarks.find(chatId, userId);
      const [listed] = (await chats.listOfUser(userId, 10)).items;
      if (!own) {
        expect([mark, listed]).toEqual([undefined, undefined]);
        continue;
      }
      expect(own.joinedSeq).toBe(joinedSeqOf(history, userId));
      const after = Math.max(own.readSeq, own.joinedSeq);
      const unread = history.filter(
        ({ seq, sender, system, deletion, silent }) =>
          seq > after && sender.id !== userId && !system && !deletion && !silent,
      );
      const names = ({ mentions = [], sender }: Message) =>
        sender.id !== userId && mentions.some((mention) => mention.everyone || mention.userId === userId);
      const counts = { unreadCount: unread.length, mentionCount: unread.filter(names).length };
      for (const answer of [own, mark, listed?.own]) expect(answer).toMatchObject(counts);
      const mentioned = history.filter((message) => message.seq > own.joinedSeq && names(message));
      const feed = await storage.mentions.list(userId, 1_000);
      expect(feed.items.map(({ seq }) => seq)).toEqual(mentioned.map(({ seq }) => seq).sort((a, b) => b - a));
      // Each device has heard of the moves in an order of its own.
      const states = told.get(userId);
      if (!states) continue;
      const start = { readSeq: 0, readGeneration: 0 };
      for (const order of [states, states.toReversed()]) expect(mark).toMatchObject(order.reduce(newer, start));
    }
  }
});
