import { expect, test } from 'vitest';
import { found, type HandMade } from '../testing/hand-made.ts';

/** Bob reads the chat live while `during` happens, and Ann reads it at the end. */
function watched(history: HandMade, during: () => void): void {
  const reader = history.open('bob');
  history.give(reader, history.since(0));
  const before = history.log.length;
  during();
  history.give(reader, history.log.slice(before));
  history.audit();
  history.close(reader, 'end');
}

test('a correct history passes: reactions that live readers receive, and that later ones have replaced', () => {
  const kinds = found((history) => {
    const message = history.send('ann', 'a');
    history.react('bob', message, '👍');
    history.react('bob', message, '👍', { added: false });
    history.react('ann', message, '👍');
    watched(history, () => {
      history.react('bob', message, '👍');
      history.react('bob', message, '🎉');
      history.react('ann', message, '👍', { added: false });
    });
  });
  expect(kinds).toEqual([]);
});

test('a correct history passes: the reactions to a deleted message are covered', () => {
  const kinds = found((history) => {
    const message = history.send('ann', 'a');
    history.react('bob', message, '👍');
    history.delete('ann', message, 'd');
    history.send('ann', 'b');
    watched(history, () => {});
  });
  expect(kinds).toEqual([]);
});

test('a correct history passes: answers that nothing changed, also beside a change that was under way', () => {
  const kinds = found((history) => {
    const message = history.send('ann', 'a');
    const reaction = { messageId: message.id, user: 'bob', emoji: '👍' };
    const unchanged = { outcome: 'ok', seq: 0 } as const;
    history.attemptToReact({ ...reaction, added: false }, unchanged);
    const before = history.tick();
    history.react('bob', message, '👍');
    history.attemptToReact({ ...reaction, added: true }, unchanged);
    history.attemptToReact({ ...reaction, added: false }, { ...unchanged, begin: before });
    history.react('bob', message, '👍', { added: false });
    history.attemptToReact({ ...reaction, added: false }, unchanged);
    history.audit();
  });
  expect(kinds).toEqual([]);
});

test('an attempt of unknown outcome may have happened, or not', () => {
  for (const happened of [true, false]) {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      const reaction = { messageId: message.id, user: 'bob', emoji: '👍', added: true };
      if (happened) history.react('bob', message, '👍', { outcome: 'unknown', seq: 0 });
      else history.attemptToReact(reaction, { outcome: 'unknown' });
      history.audit();
    });
    expect(kinds).toEqual([]);
  }
});

test.each<[string, string[], (history: HandMade) => void]>([
  [
    'an acknowledged reaction that the number of users lacks',
    ['lost-change'],
    (history) => {
      const message = history.send('ann', 'a');
      history.react('bob', message, '👍');
      history.audit(history.visible.map((one) => ({ ...one, reactions: {} })));
    },
  ],
  [
    'a reaction that is said to be there already, and never was',
    ['lost-change'],
    (history) => {
      const message = history.send('ann', 'a');
      history.attemptToReact(
        { messageId: message.id, user: 'bob', emoji: '👍', added: true },
        { outcome: 'ok', seq: 0 },
      );
      history.audit();
    },
  ],
  [
    'a reaction that is said to be absent, and is there',
    ['lost-change'],
    (history) => {
      const message = history.send('ann', 'a');
      history.react('bob', message, '👍');
      history.attemptToReact(
        { messageId: message.id, user: 'bob', emoji: '👍', added: false },
        { outcome: 'ok', seq: 0 },
      );
      history.audit();
    },
  ],
  [
    'a number of users that is too high',
    ['lost-change'],
    (history) => {
      const message = history.send('ann', 'a');
      history.react('bob', message, '👍');
      history.audit(history.visible.map((one) => (one.id === message.id ? { ...one, reactions: { '👍': 2 } } : one)));
    },
  ],
  [
    'an acknowledged reaction in whose place readers receive another one',
    ['invented', 'lost-change'],
    (history) => {
      const message = history.send('ann', 'a');
      const placed = history.react('bob', message, '👍');
      watched(history, () => {});
      const reader = history.open('bob', { afterSeq: placed.seq - 1 });
      history.records.splice(
        0,
        Number.POSITIVE_INFINITY,
        ...history.records.map((one) => (one.kind === 'reaction' ? { ...one, emoji: '🎉' } : one)),
      );
      history.close(reader);
    },
  ],
  [
    'a reaction that nobody asked for',
    ['invented', 'lost-change'],
    (history) => {
      const message = history.send('ann', 'a');
      history.log.push({ seq: history.log.length + 1, messageId: message.id, user: 'bob', emoji: '👍', added: true });
      history.send('bob', 'b');
      history.audit(history.visible.map((one) => ({ ...one, reactions: {} })));
    },
  ],
  [
    'a refused reaction that is there',
    ['refused-but-stored'],
    (history) => {
      const message = history.send('ann', 'a');
      history.send('bob', 'b');
      history.react('bob', message, '👍', { outcome: 'refused', seq: 0 });
      history.audit();
    },
  ],
  [
    'a reaction in force that is said to be replaced',
    ['hole'],
    (history) => {
      const message = history.send('ann', 'a');
      const { seq } = history.react('bob', message, '👍');
      const reader = history.open('bob', { afterSeq: seq - 1 });
      history.give(reader, [{ from: seq, to: seq }]);
      history.close(reader);
      history.audit();
    },
  ],
  [
    'a live reader that did not receive a reaction',
    ['hole'],
    (history) => {
      const message = history.send('ann', 'a');
      const reader = history.open('bob', { afterSeq: message.seq });
      history.react('ann', message, '👍');
      const next = history.send('ann', 'b');
      history.give(reader, [next]);
      history.close(reader);
      history.audit();
    },
  ],
  [
    'a repeated request with another number',
    ['doubled'],
    (history) => {
      const message = history.send('ann', 'a');
      history.react('bob', message, '👍', { clientChangeId: 'once' });
      history.react('bob', message, '👍', { clientChangeId: 'once', added: false });
      history.audit();
    },
  ],
])('%s is found', (_, kinds, write) => {
  expect(found(write)).toEqual(kinds);
});
