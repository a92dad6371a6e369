import { describe, expect, test } from 'vitest';
import { exitCodeOf } from '../report/format-verdict.ts';
import { found, HandMade } from '../testing/hand-made.ts';
import { admission, check, serviceUse } from './checker.ts';

describe('a correct history passes', () => {
  test('with messages that are sent, read live and read at the end', () => {
    const kinds = found((history) => {
      const reader = history.open('bob');
      history.give(reader, history.chat);
      history.reached(reader, 1);
      for (const id of ['a', 'b', 'c']) history.give(reader, [history.send('ann', id)]);
      history.audit();
      history.close(reader, 'end');
    });
    expect(kinds).toEqual([]);
  });

  test('when the outcome of a send is unknown and the message is there', () => {
    const kinds = found((history) => {
      history.place({ sender: 'ann', clientMessageId: 'a', text: 'a of ann' });
      history.attempt('ann', 'a', { outcome: 'unknown' });
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('when the outcome of a send is unknown and the message is not there', () => {
    const kinds = found((history) => {
      history.attempt('ann', 'a', { outcome: 'unknown' });
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('when an attempt is lost, and repeated with the same answer twice', () => {
    const kinds = found((history) => {
      history.attempt('ann', 'a', { outcome: 'unknown' });
      const { id: messageId, seq } = history.send('ann', 'a', { firstBegin: history.now - 10 });
      history.attempt('ann', 'a', { outcome: 'ok', messageId, seq, firstBegin: 30 });
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('when the description of a chat is that of the last update before each answer', () => {
    const kinds = found((history) => {
      const look = (head: number, description: string) => history.call('bob', 'getChat', { head, description });
      look(1, '');
      for (const description of ['one', '']) {
        history.place({ system: { event: 'chatUpdated', users: [], description } });
        history.place({ system: { event: 'chatUpdated', users: [] } });
      }
      look(5, '');
      look(3, 'one');
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('when two sends overlap in time, in either order', () => {
    const kinds = found((history) => {
      history.send('ann', 'late answer', { begin: 100, firstBegin: 100, at: 300 });
      history.send('bob', 'early answer', { begin: 50, firstBegin: 50, at: 310 });
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('when a number follows with the message', () => {
    const kinds = found((history) => {
      history.send('ann', 'a', { seq: 0 });
      history.send('ann', 'b', { seq: 0 });
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('when a message that is numbered later was acknowledged before its sender was removed', () => {
    const kinds = found((history) => {
      history.attempt('bob', 'a', { outcome: 'ok', messageId: 'late', seq: 0 });
      history.remove('bob');
      history.place({ id: 'late', sender: 'bob', clientMessageId: 'a', text: 'a of bob' });
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('when a user is removed, is added again, and reads from the beginning', () => {
    const kinds = found((history) => {
      const first = history.open('bob');
      history.give(first, history.chat);
      history.give(first, [history.remove('bob')]);
      history.close(first, 'told');
      history.send('ann', 'unseen');
      history.addMember('bob');
      const second = history.open('bob');
      history.give(second, history.chat);
      history.send('bob', 'back');
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('when a reader reads past the ends of two memberships of its own', () => {
    const kinds = found((history) => {
      history.remove('bob');
      history.addMember('bob');
      history.send('ann', 'a');
      const reader = history.open('bob');
      history.give(reader, history.chat);
      history.give(reader, [history.remove('bob')]);
      history.close(reader, 'told');
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('when a message arrives within a second of the removal', () => {
    const kinds = found((history) => {
      const reader = history.open('bob');
      history.give(reader, history.chat);
      const last = history.send('ann', 'a');
      history.remove('bob');
      history.tick(900);
      history.give(reader, [last]);
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('when a stalled reader receives everything late', () => {
    const kinds = found((history) => {
      const reader = history.open('bob');
      history.give(reader, history.chat);
      history.reached(reader, 1);
      const begin = history.now;
      const message = history.send('ann', 'a');
      history.add({ kind: 'stall', at: history.tick(5_000), begin, reader });
      history.give(reader, [message]);
      history.audit();
      history.close(reader, 'end');
    });
    expect(kinds).toEqual([]);
  });
});

describe('a faulty history has a violation', () => {
  test('an acknowledged message that is not in the chat is lost', () => {
    const kinds = found((history) => {
      history.attempt('ann', 'a', { outcome: 'ok', messageId: 'm9', seq: 2 });
      history.audit();
    });
    expect(kinds).toContain('lost');
  });

  test('an acknowledged message whose number went to another is lost', () => {
    const kinds = found((history) => {
      history.attempt('ann', 'a', { outcome: 'ok', messageId: 'm9', seq: 2 });
      history.place({ sender: 'bob', clientMessageId: 'b', text: 'b of bob' });
      history.attempt('bob', 'b', { begin: 20, firstBegin: 20, outcome: 'ok', messageId: 'm2', seq: 2 });
      history.audit();
    });
    expect(kinds).toEqual(['lost']);
  });

  test('a number that the history passes over is a gap', () => {
    const kinds = found((history) => {
      for (const id of ['a', 'b']) history.send('ann', id);
      history.audit([history.chat[0]!, history.chat[2]!]);
    });
    expect(kinds).toEqual(['gap', 'lost']);
  });

  test('one number with two messages', () => {
    const kinds = found((history) => {
      const { seq } = history.send('ann', 'a');
      const reader = history.open('bob', { afterSeq: 1 });
      history.give(reader, [{ ...history.chat[1]!, id: 'another', seq }]);
      history.audit();
    });
    expect(kinds).toContain('clash');
  });

  test('one message twice', () => {
    const kinds = found((history) => {
      history.send('ann', 'a');
      history.place({ sender: 'ann', clientMessageId: 'a', text: 'a of ann' });
      history.audit();
    });
    expect(kinds).toEqual(['doubled']);
  });

  test('an order against that of time', () => {
    const kinds = found((history) => {
      const [first, second] = [
        history.place({ sender: 'bob', clientMessageId: 'later', text: 'later of bob' }),
        history.place({ sender: 'ann', clientMessageId: 'sooner', text: 'sooner of ann' }),
      ];
      history.attempt('ann', 'sooner', { outcome: 'ok', messageId: second.id, seq: second.seq });
      history.attempt('bob', 'later', { outcome: 'ok', messageId: first.id, seq: first.seq });
      history.audit();
    });
    expect(kinds).toEqual(['reordered']);
  });

  test('an order against that of time, of messages whose numbers follow', () => {
    const kinds = found((history) => {
      const first = history.place({ sender: 'bob', clientMessageId: 'later', text: 'later of bob' });
      const second = history.place({ sender: 'ann', clientMessageId: 'sooner', text: 'sooner of ann' });
      history.attempt('ann', 'sooner', { outcome: 'ok', messageId: second.id, seq: 0 });
      history.attempt('bob', 'later', { outcome: 'ok', messageId: first.id, seq: 0 });
      history.audit();
    });
    expect(kinds).toEqual(['reordered']);
  });

  test('another answer to a repetition', () => {
    const kinds = found((history) => {
      const { id: messageId, seq } = history.send('ann', 'a');
      history.attempt('ann', 'a', { outcome: 'ok', messageId, seq: seq + 1 });
      history.audit();
    });
    expect(kinds).toContain('retry-differs');
  });

  test('an id that is accepted with other content', () => {
    const kinds = found((history) => {
      const { id: messageId, seq } = history.send('ann', 'a');
      history.attempt('ann', 'a', { outcome: 'ok', messageId, seq, text: 'something else' });
      history.audit();
    });
    expect(kinds).toEqual(['id-reused']);
  });

  test('a message that was refused and is there', () => {
    const kinds = found((history) => {
      history.place({ sender: 'ann', clientMessageId: 'a', text: 'a of ann' });
      history.attempt('ann', 'a', { outcome: 'refused', reason: 'RATE_LIMITED' });
      history.audit();
    });
    expect(kinds).toEqual(['refused-but-stored']);
  });

  test.each(['live', 'page'] as const)('a hole in what a %s reader received', (source) => {
    const kinds = found((history) => {
      for (const id of ['a', 'b']) history.send('ann', id);
      const reader = history.open('bob', { source });
      history.give(reader, [history.chat[0]!, history.chat[2]!]);
      history.close(reader);
      history.audit();
    });
    expect(kinds).toEqual(['hole']);
  });

  test('a reader that is told it has caught up and has not received everything', () => {
    const kinds = found((history) => {
      history.send('ann', 'a');
      const reader = history.open('bob');
      history.give(reader, [history.chat[0]!]);
      history.reached(reader, 2);
      history.close(reader);
      history.audit();
    });
    expect(kinds).toEqual(['hole']);
  });

  test('a message that arrives again', () => {
    const kinds = found((history) => {
      const reader = history.open('bob');
      history.give(reader, [history.chat[0]!, history.chat[0]!]);
      history.audit();
    });
    expect(kinds).toEqual(['repeated']);
  });

  test('messages that arrive in another order', () => {
    const kinds = found((history) => {
      for (const id of ['a', 'b']) history.send('ann', id);
      const [created, a, b] = history.chat;
      history.give(history.open('bob'), [created!, b!, a!]);
      history.audit();
    });
    expect(kinds).toEqual(['reordered']);
  });

  test('a reader that is open and receives nothing any more', () => {
    const kinds = found((history) => {
      const reader = history.open('bob');
      history.give(reader, history.chat);
      history.send('ann', 'a');
      history.audit();
      history.close(reader, 'end');
    });
    expect(kinds).toEqual(['silent']);
  });

  test('a message that arrives too late', () => {
    const kinds = found((history) => {
      const reader = history.open('bob');
      history.give(reader, history.chat);
      history.reached(reader, 1);
      const message = history.send('ann', 'a');
      history.tick(5_000);
      history.give(reader, [message]);
      history.audit();
    });
    expect(kinds).toEqual(['late']);
  });

  test('a read that does not have what was acknowledged before it', () => {
    const kinds = found((history) => {
      history.send('ann', 'a');
      const reader = history.open('bob', { source: 'page' });
      history.give(reader, [history.chat[0]!]);
      history.reached(reader, 1);
      history.close(reader);
      history.audit();
    });
    expect(kinds).toEqual(['stale']);
  });

  test('other contents for another reader', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      history.give(history.open('bob'), [history.chat[0]!, { ...message, text: 'something else' }]);
      history.audit();
    });
    expect(kinds).toContain('differs');
  });

  test('contents that nobody sent', () => {
    const kinds = found((history) => {
      history.send('ann', 'a');
      history.chat[1]!.text = 'something else';
      history.audit();
    });
    expect(kinds).toEqual(['differs']);
  });

  test('a message with a number after the end of a membership', () => {
    const kinds = found((history) => {
      const reader = history.open('bob');
      history.give(reader, [...history.chat, history.remove('bob')]);
      history.give(reader, [history.send('ann', 'secret')]);
      history.audit();
    });
    expect(kinds).toEqual(['leaked']);
  });

  test('a message that arrives more than a second after the end of a membership', () => {
    const kinds = found((history) => {
      const reader = history.open('bob');
      history.give(reader, history.chat);
      const message = history.send('ann', 'a');
      history.remove('bob');
      history.tick(1_100);
      history.give(reader, [message]);
      history.audit();
    });
    expect(kinds).toEqual(['leaked']);
  });

  test('a page that a user reads without ever having been a member', () => {
    const kinds = found((history) => {
      const reader = history.open('eve', { source: 'page' });
      history.give(reader, history.chat);
      history.close(reader);
      history.audit();
    });
    expect(kinds).toEqual(['leaked']);
  });

  test('a banned user who joins nevertheless', () => {
    const kinds = found((history) => {
      history.call('ann', 'banMember', { effects: [{ kind: 'withdraw', right: admission('c', 'bob') }] });
      history.call('bob', 'joinRoom', { effects: [{ kind: 'use', right: admission('c', 'bob') }] });
    });
    expect(kinds).toEqual(['leaked']);
  });

  test('a user banned from the service who still makes calls', () => {
    const kinds = found((history) => {
      history.call('ann', 'banUser', { effects: [{ kind: 'withdraw', right: serviceUse('bob') }] });
      history.tick(1_100);
      history.call('bob', 'listChats');
    });
    expect(kinds).toEqual(['leaked']);
  });

  test('a member who is refused as if not a member', () => {
    const kinds = found((history) => {
      history.attempt('bob', 'a', { outcome: 'refused', reason: 'NOT_A_MEMBER' });
      history.audit();
    });
    expect(kinds).toEqual(['wrongly-denied']);
  });

  test('a message of a user who had been removed', () => {
    const kinds = found((history) => {
      history.remove('bob');
      history.send('bob', 'a');
      history.audit();
    });
    expect(kinds).toEqual(['without-role']);
  });

  test('a message of a user who may only read', () => {
    const kinds = found((history) => {
      history.place({ system: { event: 'roleChanged', users: ['bob'], role: 'READER' } });
      history.send('bob', 'a');
      history.audit();
    });
    expect(kinds).toEqual(['without-role']);
  });

  test("a message under another's name", () => {
    const kinds = found((history) => {
      history.send('ann', 'a', { user: 'bob' });
      history.send('ann', 'b');
      history.audit();
    });
    expect(kinds).toEqual(['spoken-for']);
  });

  test('a message that nobody sent', () => {
    const kinds = found((history) => {
      history.send('ann', 'a');
      history.place({ clientMessageId: 'x', text: 'out of nowhere' });
      history.audit();
    });
    expect(kinds).toEqual(['invented']);
  });

  test('a stream that ends without a reason, unless faults are expected', () => {
    const write = (history: HandMade) => history.close(history.open('bob'), 'lost');
    expect(found(write)).toEqual(['cut-off']);
    expect(found(write, { faultsExpected: true })).toEqual([]);
  });

  test('a description that is not that of the last update', () => {
    const kinds = found((history) => {
      const update = (description: string) =>
        history.place({ system: { event: 'chatUpdated', users: [], description } });
      const look = (head: number, description: string) => history.call('bob', 'getChat', { head, description });
      update('one');
      update('two');
      look(3, 'one');
      history.audit();
    });
    expect(kinds).toEqual(['stale']);
  });

  test('a read mark that moves back', () => {
    const kinds = found((history) => {
      history.send('ann', 'a');
      history.call('bob', 'markRead', { readSeq: 2 });
      history.call('bob', 'getChat', { readSeq: 1 });
    });
    expect(kinds).toEqual(['mark-moved-back']);
  });

  test('a read mark of an older generation than one before', () => {
    const kinds = found((history) => {
      history.send('ann', 'a');
      history.call('bob', 'markUnread', { readSeq: 0, readGeneration: 2 });
      history.call('bob', 'getChat', { readSeq: 2, readGeneration: 1 });
    });
    expect(kinds).toEqual(['mark-moved-back']);
  });

  test('a count of unread messages or of mentions that a recount does not have', () => {
    const told = (unread: number, mentions: number) =>
      found((history) => {
        history.send('ann', 'a', { text: 'read before' });
        history.send('ann', 'b', { text: '@bob look' });
        const gone = history.send('ann', 'c', { text: '@bob again' });
        history.delete('ann', gone, 'd');
        history.send('ann', 'e', { text: '@all listen' });
        history.send('bob', 'f', { text: '@all me, too' });
        history.place({ clientMessageId: 'g', text: 'psst', silent: true });
        history.attempt('ann', 'g', { text: 'psst', outcome: 'ok', messageId: 'm8', seq: 8 });
        history.audit();
        const counts = { joinedSeq: 1, unread, mentions };
        history.call('bob', 'audit counts', { head: 8, readSeq: 2, counts });
      });
    expect(told(2, 2)).toEqual([]);
    for (const [unread, mentions] of [
      [3, 2],
      [1, 2],
      [2, 1],
      [2, 3],
    ] as const)
      expect(told(unread, mentions)).toEqual(['wrong-count']);
  });

  test('two chats of one pair', () => {
    const kinds = found((history) => {
      for (const is of ['c1', 'c2']) history.call('ann', 'createChat', { same: { thing: 'ann and bob', is } });
    });
    expect(kinds).toEqual(['two-of-one']);
  });
});

test('a violation shows the few records that contradict each other', () => {
  const history = new HandMade();
  for (let i = 0; i < 100; i += 1) history.send('ann', `before ${i}`);
  history.attempt('ann', 'a', { outcome: 'ok', messageId: 'm999', seq: 200 });
  for (let i = 0; i < 100; i += 1) history.send('bob', `after ${i}`, { firstBegin: 0 });
  history.audit();
  const { violations } = check(history.records);
  expect(violations.map(({ kind }) => kind)).toContain('lost');
  for (const { records } of violations) expect(records.length).toBeLessThanOrEqual(4);
});

test('a chat that nobody read at the end although a user could is counted: nothing is proved about its messages', () => {
  const unread = (write: (history: HandMade) => void) => {
    const history = new HandMade();
    write(history);
    const verdict = check(history.records);
    return [verdict.figures.unread, exitCodeOf(verdict)];
  };

  expect(unread((history) => void history.send('ann', 'a'))).toEqual([1, 2]);
  expect(
    unread((history) => {
      history.send('ann', 'a');
      history.audit();
    }),
  ).toEqual([0, 0]);
  // The user with acknowledged messages may have been removed, or the chat deleted.
  expect(
    unread((history) => {
      history.send('ann', 'a');
      history.call('bob', 'deleteChat', { outcome: 'unknown', effects: [history.effect('withdraw', 'ann')] });
    }),
  ).toEqual([0, 0]);
  // The database may have lost the chat. A node that has not yet heard of it accepts another message.
  const loseThen = (last: number | undefined) => (history: HandMade) => {
    history.send('ann', 'a');
    history.goBack(last);
    history.attempt('ann', 'b', { outcome: 'ok', messageId: 'm9', seq: 0 });
  };
  expect(unread(loseThen(undefined))[0]).toBe(0);
  expect(unread(loseThen(1))[0]).toBe(1);
  expect(unread((history) => history.audit())).toEqual([0, 2]);
});

describe('after the database has gone back', () => {
  const opened = { epoch: 'first', cursorEpoch: 'first' };

  /** Bob has received four messages and an edit live, and then the database has only the first two messages. */
  function lose(history: HandMade): string {
    const [a] = ['a', 'b', 'c'].map((id) => history.send('ann', id));
    history.edit('ann', a!, 'edit');
    const reader = history.open('bob', opened);
    history.give(reader, history.since(0));
    history.reached(reader, 5);
    history.goBack(2);
    return reader;
  }

  test('what was acknowledged before may be lost, and its numbers belong to others', () => {
    const kinds = found((history) => {
      const reader = lose(history);
      history.reset(reader, 2);
      const d = history.send('ann', 'd');
      history.edit('ann', d, 'of d');
      history.send('ann', 'b');
      history.give(reader, history.since(2));
      history.audit();
      history.close(reader, 'end');
    });
    expect(kinds).toEqual([]);
  });

  test('a reader that resumes after a lost number is led back', () => {
    const kinds = found((history) => {
      const before = lose(history);
      history.close(before, 'told');
      history.send('ann', 'd');
      const reader = history.open('bob', { epoch: 'second', cursorEpoch: 'first', afterSeq: 5 });
      history.reset(reader, 2);
      history.give(reader, history.since(2));
      history.reached(reader, 3);
      history.audit();
      history.close(reader, 'end');
    });
    expect(kinds).toEqual([]);
  });

  test('a feed that has returned nothing that is lost goes on', () => {
    const kinds = found((history) => {
      const [a] = ['a', 'b'].map((id) => history.send('ann', id));
      const feeds = ['early', 'late', 'idle'].map(() => history.open('bob', { source: 'feed' }));
      for (const feed of feeds) history.give(feed, history.visible);
      history.edit('ann', a!, 'edit');
      history.goBack(3);
      const c = history.send('ann', 'c');
      history.reset(feeds[0]!, 3);
      history.give(feeds[0]!, [c]);
      const live = history.open('ann', { epoch: 'second', cursorEpoch: 'second', afterSeq: 3 });
      history.give(live, [c]);
      history.reset(feeds[1]!, 3);
      history.give(feeds[1]!, [c]);
      history.audit();
      for (const reader of [live, ...feeds.slice(0, 2)]) history.close(reader, 'end');
    });
    expect(kinds).toEqual([]);
  });

  test('a feed may return what is lost from a page that it had read before, if it ends then', () => {
    const kinds = found((history) => {
      const [a, b] = ['a', 'b'].map((id) => history.send('ann', id));
      history.edit('ann', a!, 'edit');
      history.send('ann', 'c');
      const feed = history.open('bob', { source: 'feed' });
      history.reset(feed, 0, 'first');
      const page = history.visible;
      history.goBack(3);
      // The second message survived, but not this state of it.
      history.give(feed, page);
      history.close(feed, 'told');
      const again = history.open('bob', { source: 'feed' });
      history.reset(again, 0);
      history.send('ann', 'd');
      history.edit('ann', b!, 'other edit');
      history.give(again, history.visible);
      history.audit();
      history.close(again, 'end');
    });
    expect(kinds).toEqual([]);
  });

  test('an empty page after a number that is lost says nothing about the chat', () => {
    const kinds = found((history) => {
      const reader = lose(history);
      history.reset(reader, 2);
      const page = history.open('bob', { source: 'page', afterSeq: 5 });
      history.reached(page, 5);
      history.close(page);
      history.give(reader, [history.send('ann', 'd')]);
      history.audit();
      history.close(reader, 'end');
    });
    expect(kinds).toEqual([]);
  });

  test('a message that was accepted without a number may follow the loss of its sender’s membership', () => {
    const kinds = found((history) => {
      history.addMember('eve');
      history.attempt('eve', 'e', { outcome: 'ok', messageId: 'e', seq: 0 });
      history.goBack(1);
      history.place({ sender: 'eve', clientMessageId: 'e', id: 'e', text: 'e of eve' });
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('what was under way from the lost database is no violation', () => {
    const kinds = found((history) => {
      const [a] = ['a', 'b', 'c'].map((id) => history.send('ann', id));
      const reader = history.open('bob', opened);
      history.give(reader, history.since(0));
      history.edit('ann', a!, 'edit');
      const rest = history.since(4);
      // Its third number was a change.
      const page = [...history.log.slice(0, 2), history.log[3]!];
      const begin = history.now;
      history.goBack(2);
      history.give(reader, rest);
      history.reached(reader, 5);
      const asked = history.open('bob', { source: 'page', begin });
      history.give(asked, page);
      history.reached(asked, 4, begin);
      history.close(asked);
      history.attempt('ann', 'late', { begin, outcome: 'ok', messageId: 'gone', seq: 6 });
      history.reset(reader, 2);
      history.give(reader, [history.send('ann', 'd')]);
      history.audit();
      history.close(reader, 'end');
    });
    expect(kinds).toEqual([]);
  });

  test('a membership that was lost is neither in force nor not', () => {
    const kinds = found((history) => {
      history.addMember('eve');
      history.remove('bob');
      history.goBack(1);
      history.call('eve', 'look', { outcome: 'refused', effects: [history.effect('denied', 'eve')] });
      history.call('bob', 'look', { effects: [history.effect('use', 'bob')] });
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test.each<[string, string, (history: HandMade, reader: string) => void]>([
    [
      'an acknowledged message with a number that survived is missing',
      'lost',
      (history, reader) => {
        history.reset(reader, 2);
        history.chat.splice(1, 1);
      },
    ],
    [
      'a message that the new database acknowledged is missing',
      'lost',
      (history, reader) => {
        history.reset(reader, 2);
        history.attempt('ann', 'd', { outcome: 'ok', messageId: 'd', seq: 3 });
        history.send('bob', 'e');
        history.give(reader, history.since(2));
      },
    ],
    ['a reader is never told', 'silent', (history) => void history.send('ann', 'd')],
    [
      'a reader is led back to a lost number',
      'hole',
      (history, reader) => {
        for (const id of ['d', 'e', 'f', 'g']) history.send('ann', id);
        history.reset(reader, 3);
        history.give(reader, history.since(3));
      },
    ],
    [
      'a reader is told, and receives nothing',
      'silent',
      (history, reader) => {
        history.send('ann', 'd');
        history.reset(reader, 2);
      },
    ],
    [
      'a lost message is delivered as one of the new database',
      'clash',
      (history, reader) => {
        const d = history.send('ann', 'd');
        history.reset(reader, 2);
        history.give(reader, [{ ...d, id: 'lost', clientMessageId: 'b' }]);
      },
    ],
    [
      'a feed goes on although it has returned what is lost',
      'silent',
      (history) => {
        const feed = history.open('bob', { source: 'feed', begin: 0 });
        history.give(feed, [...history.visible, { ...history.visible[1]!, seq: 3, updateSeq: 3, id: 'lost' }]);
        history.send('ann', 'd');
        history.audit();
        history.close(feed, 'end');
      },
    ],
    [
      'a reader that resumes is not led back',
      'silent',
      (history, reader) => {
        history.close(reader, 'told');
        history.send('ann', 'd');
        const later = history.open('bob', { epoch: 'second', cursorEpoch: 'first', afterSeq: 5 });
        history.reached(later, 5);
        history.audit();
        history.close(later, 'end');
      },
    ],
    [
      'a right that was granted anew is denied',
      'wrongly-denied',
      (history) => {
        history.addMember('eve');
        history.call('eve', 'look', { outcome: 'refused', effects: [history.effect('denied', 'eve')] });
      },
    ],
    [
      'a right that was withdrawn anew is used',
      'leaked',
      (history) => {
        history.remove('bob');
        history.call('bob', 'look', { effects: [history.effect('use', 'bob')] });
      },
    ],
  ])('%s: %s', (_what, kind, write) => {
    const kinds = found((history) => {
      const reader = lose(history);
      write(history, reader);
      history.audit();
      history.close(reader, 'end');
    });
    expect(kinds).toContain(kind);
  });
});

describe('after a reset', () => {
  /** Bob has received four messages live, and is told that a new epoch begins after the second. */
  function resetReader(history: HandMade): string {
    for (const id of ['a', 'b', 'c']) history.send('ann', id);
    const reader = history.open('bob');
    history.give(reader, history.chat);
    history.reached(reader, 4);
    history.add({ kind: 'reset', at: history.tick(), reader, epoch: '1/2', from: 2 });
    return reader;
  }

  test('a reader receives the numbers after it again', () => {
    const kinds = found((history) => {
      const reader = resetReader(history);
      history.give(reader, history.chat.slice(2));
      history.audit();
      history.close(reader, 'end');
    });
    expect(kinds).toEqual([]);
  });

  test('a reset beyond what a reader has changes nothing', () => {
    const kinds = found((history) => {
      const reader = history.open('bob');
      history.give(reader, history.chat);
      history.add({ kind: 'reset', at: history.tick(), reader, epoch: '1/2', from: 3 });
      history.give(reader, [history.send('ann', 'a')]);
      history.audit();
      history.close(reader, 'end');
    });
    expect(kinds).toEqual([]);
  });

  test.each<[string, string, (history: HandMade, reader: string) => void]>([
    ['numbers that do not arrive again', 'silent', () => {}],
    ['a number that is skipped', 'hole', (history, reader) => history.give(reader, history.chat.slice(3))],
    ['a number before it', 'repeated', (history, reader) => history.give(reader, history.chat.slice(1))],
    [
      'another message under a number',
      'clash',
      (history, reader) => history.give(reader, [{ ...history.chat[2]!, id: 'other' }, history.chat[3]!]),
    ],
  ])('%s: %s', (_what, kind, write) => {
    const kinds = found((history) => {
      const reader = resetReader(history);
      write(history, reader);
      history.audit();
      history.close(reader, 'end');
    });
    expect(kinds).toContain(kind);
  });
});
