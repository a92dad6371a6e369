import { expect, test } from 'vitest';
import type { StreamRecord } from '../history/history-record.ts';
import { found, type HandMade } from '../testing/hand-made.ts';

type Place = ReturnType<HandMade['send']>;

/** Begins a streamed message. */
const start = (history: HandMade, text = 'Once') => history.send('ann', 'a-streamed-1', { text, streamed: true });

/** A part that was stored and acknowledged. */
function grow(history: HandMade, message: Place, part: number, text: string, rest: Partial<StreamRecord> = {}): Place {
  const { text: before } = history.chat.find(({ id }) => id === message.id)!;
  const placed = history.placeChange(message, { text: before + text });
  write(history, message, { part, text, seq: placed.updateSeq, ...rest });
  return placed;
}

/** An attempt to append a part, or without one to end the message. */
function write(history: HandMade, { id: messageId }: Place, rest: Partial<StreamRecord>): void {
  const begin = history.tick();
  history.records.push({
    ...{ kind: 'stream', begin, firstBegin: begin, at: history.tick(), client: 'ann', user: 'ann', via: 'grpc' },
    ...{ chatId: 'c', messageId, outcome: 'ok', ...rest },
  });
}

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

test('a correct history passes: a message that grows while it is read, and ends', () => {
  const kinds = found((history) => {
    watched(history, () => {
      const message = start(history);
      grow(history, message, 1, ' upon');
      grow(history, message, 2, ' a time');
      const { updateSeq: seq } = history.placeChange(message, {});
      write(history, message, { seq });
      write(history, message, { part: 1, text: ' upon', seq: 4 });
    });
  });
  expect(kinds).toEqual([]);
});

test('a correct history passes: a part of unknown outcome, an edit, a deletion', () => {
  for (const happened of [true, false]) {
    const kinds = found((history) => {
      watched(history, () => {
        const message = start(history);
        if (happened) grow(history, message, 1, ' upon', { outcome: 'unknown' });
        else write(history, message, { part: 1, text: ' upon', outcome: 'unknown' });
        history.edit('ann', message, 'e', { text: 'other' });
        history.delete('ann', message, 'd');
      });
    });
    expect(kinds).toEqual([]);
  }
});

test('a correct history passes: a reader that never had the message receives that it has grown', () => {
  const kinds = found((history) => {
    const message = start(history);
    const reader = history.open('bob', { afterSeq: message.seq });
    const { updateSeq: seq } = grow(history, message, 1, ' upon');
    history.records.push({ kind: 'grown', at: history.tick(), reader, seq, id: message.id });
    history.audit();
    history.close(reader, 'end');
  });
  expect(kinds).toEqual([]);
});

test('a correct history passes: a message whose beginning had no answer is ended by the service', () => {
  const kinds = found((history) => {
    const message = history.place({ sender: 'ann', clientMessageId: 'a-streamed-1', text: 'Once' });
    history.attempt('ann', 'a-streamed-1', { text: 'Once', streamed: true });
    watched(history, () => history.placeChange(message, {}));
  });
  expect(kinds).toEqual([]);
});

test('a correct history passes: the database goes back while a message begins, and has it', () => {
  const kinds = found((history) => {
    const begin = history.tick();
    history.goBack(history.log.length);
    const message = history.place({ sender: 'ann', clientMessageId: 'a-streamed-1', text: 'Once' });
    const { seq, id: messageId } = message;
    history.attempt('ann', 'a-streamed-1', { text: 'Once', streamed: true, outcome: 'ok', begin, seq, messageId });
    const reader = history.open('bob', { epoch: 'second' });
    history.give(reader, history.log);
    history.give(reader, [grow(history, message, 1, ' upon')]);
    history.audit();
    history.close(reader, 'end');
  });
  expect(kinds).toEqual([]);
});

/** A message ends between two others, and its writer's attempt after them is answered with the number of that end. */
const endedBefore = (end: StreamRecord['end']) => (history: HandMade) =>
  watched(history, () => {
    const message = start(history);
    history.send('ann', 'a-2');
    const { updateSeq: seq } = history.placeChange(message, {});
    history.send('ann', 'a-3');
    write(history, message, { end, seq });
  });

test('a correct history passes: a cancellation is answered with the number at which the service cancelled before', () => {
  expect(found(endedBefore('cancelled'))).toEqual([]);
});

test.each<[string, string[], (history: HandMade) => void]>([
  [
    'a text that is not a beginning of the final one',
    ['lost-change', 'not-a-prefix'],
    (history) =>
      watched(history, () => {
        const message = start(history);
        const placed = history.placeChange(message, { text: 'Once a time' });
        write(history, message, { part: 1, text: ' a time', seq: placed.updateSeq });
        history.placeChange(message, { text: 'Once upon a time' });
        write(history, message, { part: 2, text: '!', outcome: 'unknown' });
      }),
  ],
  [
    'a reader whose text becomes shorter',
    ['lost-change', 'not-a-prefix'],
    (history) =>
      watched(history, () => {
        const message = start(history);
        grow(history, message, 1, ' upon');
        history.placeChange(message, { text: 'Once' });
      }),
  ],
  [
    'an acknowledged part that the final text lacks, with a number from before it was written',
    ['lost-change', 'reordered'],
    (history) =>
      watched(history, () => {
        const message = start(history);
        const { updateSeq: seq } = grow(history, message, 1, ' upon');
        write(history, message, { part: 2, text: ' a time', seq });
      }),
  ],
  ['a complete end with a number from before it was attempted', ['reordered'], endedBefore('complete')],
  [
    'a part that two readers received differently',
    ['differs', 'lost-change'],
    (history) =>
      watched(history, () => {
        const message = start(history);
        const placed = grow(history, message, 1, ' upon');
        const reader = history.open('ann', { afterSeq: message.seq });
        history.give(reader, [{ ...placed, text: 'Once up' }]);
        history.close(reader);
      }),
  ],
])('%s is found', (_, kinds, during) => {
  expect(found(during)).toEqual(kinds);
});
