import { describe, expect, test } from 'vitest';
import type { SendRecord, ThreadRecord } from '../history/history-record.ts';
import { found, type HandMade } from '../testing/hand-made.ts';

type Placed = ReturnType<HandMade['place']>;

/** Bob sends `id` with these references; the chat has it with those of `stored`. */
function reply(history: HandMade, id: string, asked: Partial<SendRecord>, stored: Partial<Placed>): Placed {
  const text = `${id} of bob`;
  const placed = history.place({ sender: 'bob', clientMessageId: id, text, ...stored });
  history.attempt('bob', id, { outcome: 'ok', messageId: placed.id, seq: placed.seq, ...asked });
  return placed;
}

const quote = ({ id, seq }: Placed) => ({ id, seq });

/** Ann reads the thread of this root, with these messages. */
function read(history: HandMade, root: Placed, listed: Placed[], says?: ThreadRecord['says']): void {
  const record = { kind: 'thread', client: 'ann', user: 'ann', chatId: 'c', root: root.id } as const;
  history.add({
    ...record,
    begin: history.tick(),
    at: history.tick(),
    ...(says && { says }),
    listed: listed.map(({ id, seq, sender, deleted }) => ({ id, seq, sender, ...(deleted && { deleted }) })),
  });
}

describe('references', () => {
  test('that are those of the request are right, also in a thread that a message of it names', () => {
    const kinds = found((history) => {
      const root = history.send('ann', 'root');
      const one = reply(history, 'a', { replyToId: root.id, rootId: root.id }, { replyTo: quote(root), root: root.id });
      reply(history, 'b', { replyToId: one.id, rootId: one.id }, { replyTo: quote(one), root: root.id });
      history.edit('bob', one, 'e');
      history.delete('bob', one, 'd');
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test.each<[string, (root: Placed, other: Placed) => Partial<Placed>]>([
    ['is lost', (root) => ({ root: root.id })],
    ['is another', (root, other) => ({ replyTo: quote(other), root: root.id })],
    ['has another number', (root) => ({ replyTo: { id: root.id, seq: root.seq + 1 }, root: root.id })],
    ['is of another thread', (root, other) => ({ replyTo: quote(root), root: other.id })],
    ['is of no thread', (root) => ({ replyTo: quote(root) })],
  ])('one that %s is found', (_, stored) => {
    const kinds = found((history) => {
      const [root, other] = [history.send('ann', 'root'), history.send('ann', 'other')];
      reply(history, 'a', { replyToId: root.id, rootId: root.id }, stored(root, other));
      history.audit();
    });
    expect(kinds).toEqual(['misquoted']);
  });

  test('to what the chat does not have are missing in a message that was acknowledged without its number', () => {
    const kinds = (asked: Partial<SendRecord>) =>
      found((history) => {
        reply(history, 'a', { replyToId: 'nothing', rootId: 'nothing', ...asked }, {});
        history.audit();
      });
    expect(kinds({ seq: 0 })).toEqual([]);
    expect(kinds({})).toEqual(['misquoted']);
  });
});

describe('a thread', () => {
  const summary = (last: Placed, replies: number) => ({ replies, last: last.seq, participants: ['bob'] });

  function thread(history: HandMade) {
    const root = history.send('ann', 'root');
    const [one, two] = ['a', 'b'].map((id) => reply(history, id, { rootId: root.id }, { root: root.id }));
    history.audit();
    return { root, one: one!, two: two! };
  }

  test('whose summary is that of its messages is right, also after a deletion', () => {
    const kinds = found((history) => {
      const { root, one, two } = thread(history);
      read(history, root, [one, two], summary(two, 2));
      const deleted = history.delete('bob', two, 'd');
      read(history, root, [one, deleted], summary(one, 1));
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('whose summary counts otherwise is found', () => {
    const wrong = [undefined, { replies: 3 }, { last: 1 }, { participants: [] }, { participants: ['ann'] }];
    for (const change of wrong) {
      const kinds = found((history) => {
        const { root, one, two } = thread(history);
        read(history, root, [one, two], change && { ...summary(two, 2), ...change });
      });
      expect(kinds).toEqual(['miscounted']);
    }
  });

  test('that lacks a message which was known before is found', () => {
    const kinds = found((history) => {
      const { root, one } = thread(history);
      read(history, root, [one], summary(one, 1));
    });
    expect(kinds).toEqual(['stale']);
  });
});
