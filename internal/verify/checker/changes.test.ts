import { describe, expect, test } from 'vitest';
import { found, type HandMade } from '../testing/hand-made.ts';

/** Bob reads the chat live while `during` happens, and Ann reads it at the end. */
function watched(history: HandMade, during: () => void): void {
  const reader = history.open('bob');
  history.give(reader, history.since(0));
  const before = history.log.length;
  during();
  history.give(reader, history.since(before));
  history.audit();
  history.close(reader, 'end');
}

describe('a correct history passes', () => {
  test('with edits that a live reader receives one by one', () => {
    const kinds = found((history) => {
      const reader = history.open('bob');
      history.give(reader, history.log);
      const message = history.send('ann', 'a');
      history.give(reader, [message]);
      for (const id of ['e1', 'e2']) history.give(reader, [history.edit('ann', message, id)]);
      history.give(reader, [history.send('bob', 'b')]);
      history.audit();
      history.close(reader, 'end');
    });
    expect(kinds).toEqual([]);
  });

  test('with edits and deletions that a reader who comes later receives in their newest states', () => {
    const kinds = found((history) => {
      const [edited, deleted, hidden] = ['a', 'b', 'c'].map((id) => history.send('ann', id));
      history.edit('ann', edited!, 'e1');
      history.edit('ann', deleted!, 'e2');
      history.edit('ann', edited!, 'e3');
      history.delete('bob', deleted!, 'd1', { user: 'ann' });
      history.delete('ann', hidden!, 'd2', { hide: true });
      watched(history, () => history.send('ann', 'd'));
    });
    expect(kinds).toEqual([]);
  });

  test('when a page and the feed of the SDK lack the numbers of changes and of hidden messages', () => {
    const kinds = found((history) => {
      const [edited, hidden] = ['a', 'b'].map((id) => history.send('ann', id));
      history.edit('ann', edited!, 'e1');
      history.send('ann', 'c');
      history.delete('ann', hidden!, 'd1', { hide: true });
      for (const source of ['page', 'feed'] as const) {
        const reader = history.open('bob', { source });
        history.give(reader, history.visible);
        if (source === 'page') history.reached(reader, history.visible.at(-1)!.seq);
        history.close(reader, source === 'page' ? 'client' : 'end');
      }
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('when an edit of unknown outcome happened, and when it did not', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      history.change('ann', message, 'e1', { outcome: 'unknown' });
      watched(history, () => {
        history.placeChange(message, { text: 'e2 of ann' });
        history.change('ann', message, 'e2', { outcome: 'unknown' });
      });
    });
    expect(kinds).toEqual([]);
  });

  test('when an edit is repeated after later edits, and after the deletion', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      const { updateSeq: seq } = history.edit('ann', message, 'e1');
      history.edit('ann', message, 'e2');
      history.change('ann', message, 'e1', { outcome: 'ok', seq });
      history.delete('ann', message, 'd1');
      // The service knows the edit by its id alone once the text is gone.
      history.change('ann', message, 'e1', { outcome: 'ok', seq, text: 'another' });
      history.attempt('ann', 'a', { outcome: 'ok', messageId: message.id, seq: message.seq, text: 'another' });
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('when a deletion is answered with the number of an earlier one, of another user', () => {
    const kinds = found((history) => {
      const message = history.send('bob', 'a');
      const { updateSeq: seq } = history.delete('ann', message, 'd1');
      history.change('bob', message, 'd2', { what: 'delete', outcome: 'ok', seq });
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('when a deleted text was under way, or the reader was stalled', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      const [quick, stalled] = [history.open('bob'), history.open('bob')];
      const begin = history.now;
      const before = history.since(0);
      history.delete('ann', message, 'd1');
      history.tick(900);
      history.give(quick, [...before, history.log.at(-1)!]);
      history.add({ kind: 'stall', at: history.tick(5_000), begin, reader: stalled });
      history.give(stalled, [...before, history.log.at(-1)!]);
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('when a message that is numbered later follows an edit that began after its acknowledgement', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      history.attempt('bob', 'b', { outcome: 'ok', messageId: 'late', seq: 0 });
      history.edit('ann', message, 'e1');
      history.place({ id: 'late', sender: 'bob', clientMessageId: 'b', text: 'b of bob' });
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('when conditional edits follow the versions that they name', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      const { updateSeq: ifVersion } = history.edit('ann', message, 'e1', { ifVersion: message.seq });
      history.edit('ann', message, 'e2', { ifVersion });
      history.change('ann', message, 'e3', { outcome: 'refused', reason: 'VERSION_CONFLICT', ifVersion });
      history.audit();
    });
    expect(kinds).toEqual([]);
  });
});

describe('a faulty history has a violation', () => {
  test('an edit without an effect is lost', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      history.change('ann', message, 'e1', { outcome: 'ok', seq: 3 });
      history.audit();
    });
    expect(kinds).toEqual(['lost-change', 'stale']);
  });

  test('an edit whose number has another text is lost', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      history.edit('ann', message, 'e1');
      history.chat[1]!.text = 'a of ann';
      history.audit();
    });
    expect(kinds).toEqual(['invented', 'lost-change']);
  });

  test('a deletion after which the text is there is lost', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      history.change('ann', message, 'd1', { what: 'delete', outcome: 'ok', seq: 3 });
      history.edit('ann', message, 'e1', { firstBegin: 0 });
      history.audit();
    });
    expect(kinds).toContain('lost-change');
  });

  test('an edit that is made again when it is repeated', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      history.edit('ann', message, 'e1');
      history.edit('ann', message, 'e1');
      history.audit();
    });
    expect(kinds).toEqual(['doubled']);
  });

  test('an id that is accepted for another edit', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      const { updateSeq: seq } = history.edit('ann', message, 'e1');
      history.change('ann', message, 'e1', { outcome: 'ok', seq, text: 'something else' });
      history.audit();
    });
    expect(kinds).toEqual(['id-reused']);
  });

  test('an edit that was refused and is there', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      history.placeChange(message, { text: 'e1 of ann' });
      history.change('ann', message, 'e1', { outcome: 'refused', reason: 'TOO_LATE' });
      history.audit();
    });
    expect(kinds).toEqual(['refused-but-stored']);
  });

  test('an edit and a deletion that nobody asked for', () => {
    const edited = found((history) => {
      history.placeChange(history.send('ann', 'a'), { text: 'out of nowhere' });
      history.audit();
    });
    const deleted = found((history) => {
      history.placeChange(history.send('ann', 'a'), { text: '', deleted: true });
      history.audit();
    });
    expect([edited, deleted]).toEqual([['invented'], ['invented']]);
  });

  test('one number with a message and a change', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      const { seq } = history.send('ann', 'b');
      history.change('ann', message, 'e1', { outcome: 'ok', seq });
      history.audit();
    });
    expect(kinds).toContain('clash');
  });

  test('an order against that of time', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      const { updateSeq: seq } = history.placeChange(message, { text: 'e1 of ann' });
      history.send('bob', 'b');
      history.change('ann', message, 'e1', { outcome: 'ok', seq });
      history.audit();
    });
    expect(kinds).toEqual(['reordered']);
  });

  test('a change that a live reader does not receive', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      history.edit('ann', message, 'e1');
      const last = history.send('ann', 'b');
      history.give(history.open('bob'), [...history.since(0).slice(0, 2), last]);
      history.audit();
    });
    expect(kinds).toEqual(['hole']);
  });

  test('a change or a message that a live reader receives as covered although the chat has it', () => {
    for (const number of [2, 4]) {
      const kinds = found((history) => {
        const message = history.send('ann', 'a');
        history.send('ann', 'b');
        history.edit('ann', message, 'e1');
        const reader = history.open('bob', { afterSeq: number - 1 });
        history.give(reader, [{ from: number, to: number }, ...history.since(number)]);
        history.audit();
        history.close(reader, 'end');
      });
      expect(kinds).toEqual(['hole']);
    }
  });

  test('a change that arrives again', () => {
    const kinds = found((history) => {
      const change = history.edit('ann', history.send('ann', 'a'), 'e1');
      history.give(history.open('bob'), [...history.since(0), change]);
      history.audit();
    });
    expect(kinds).toEqual(['repeated']);
  });

  test('a reader that is open and does not receive the last change', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      const reader = history.open('bob');
      history.give(reader, history.since(0));
      history.edit('ann', message, 'e1');
      history.audit();
      history.close(reader, 'end');
    });
    expect(kinds).toEqual(['silent']);
  });

  test('an older version after a newer one', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      const older = history.edit('ann', message, 'e1');
      history.edit('ann', message, 'e2');
      const [created, newest, , last] = history.since(0);
      history.give(history.open('bob'), [created!, newest!, older, last!]);
      history.audit();
    });
    expect(kinds).toEqual(['version-moved-back']);
  });

  test('two contents of one version', () => {
    const kinds = found((history) => {
      const change = history.edit('ann', history.send('ann', 'a'), 'e1');
      history.give(history.open('bob', { afterSeq: 2 }), [{ ...change, text: 'something else' }]);
      history.audit();
    });
    expect(kinds).toContain('differs');
  });

  test('a page with a version that was replaced before it began', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      history.edit('ann', message, 'e1');
      history.tick();
      const reader = history.open('bob', { source: 'page' });
      history.give(reader, [history.chat[0]!, message]);
      history.close(reader);
      history.audit();
    });
    expect(kinds).toEqual(['stale']);
  });

  test.each(['page', 'feed', 'live'] as const)('a deleted text that a %s reader receives', (source) => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      const begin = history.now;
      const before = [...history.visible];
      const { updateSeq } = history.delete('ann', message, 'd1');
      history.tick(1_100);
      const reader = history.open('bob', { source, begin: source === 'page' ? history.now : begin });
      history.give(reader, before);
      if (source === 'live') history.give(reader, history.since(updateSeq - 1));
      history.close(reader);
      history.audit();
    });
    expect(kinds).toEqual(['deleted-seen']);
  });

  test('a page that began before the deletion was acknowledged may show the text', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      const begin = history.now;
      const before = [...history.visible];
      history.delete('ann', message, 'd1');
      history.give(history.open('bob', { source: 'page', begin }), before);
      history.audit();
    });
    expect(kinds).toEqual([]);
  });

  test('a conditional edit of another version', () => {
    const kinds = found((history) => {
      const message = history.send('ann', 'a');
      history.edit('ann', message, 'e1');
      history.edit('ann', message, 'e2', { ifVersion: message.seq });
      history.audit();
    });
    expect(kinds).toEqual(['condition-ignored']);
  });

  test('an edit by another user, and a deletion by another user who does not moderate the chat', () => {
    const edited = found((history) => {
      history.edit('bob', history.send('ann', 'a'), 'e1');
      history.audit();
    });
    const deleted = found((history) => {
      history.delete('bob', history.send('ann', 'a'), 'd1');
      history.audit();
    });
    expect([edited, deleted]).toEqual([['changed-by-other'], ['changed-by-other']]);
  });

  test('of an administrator of the service: an edit of the message of another, but no deletion', () => {
    const [edited, deleted] = (['edit', 'delete'] as const).map((what) =>
      found((history) => {
        history[what]('bob', history.send('ann', 'a'), 'c1', { byAdmin: true });
        history.audit();
      }),
    );
    expect([edited, deleted]).toEqual([['changed-by-other'], []]);
  });

  test('an edit by a user who had been removed, and a message of one after an edit', () => {
    const edited = found((history) => {
      const message = history.send('bob', 'a');
      history.remove('bob');
      history.edit('bob', message, 'e1');
      history.audit();
    });
    const sent = found((history) => {
      const message = history.send('ann', 'a');
      history.remove('bob');
      history.edit('ann', message, 'e1');
      history.send('bob', 'b');
      history.audit();
    });
    expect([edited, sent]).toEqual([['without-role'], ['without-role']]);
  });
});
