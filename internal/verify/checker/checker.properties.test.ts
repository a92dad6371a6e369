import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HistoryRecord, MessageRecord } from '../history/history-record.ts';
import { HandMade } from '../testing/hand-made.ts';
import { check } from './checker.ts';

const step = fc.record({
  user: fc.constantFrom('ann', 'bob'),
  does: fc.constantFrom(
    'send',
    'send without a number',
    'lose the answer',
    'lose the message',
    'retry',
    'be refused',
    'read a page',
    'reconnect',
    'fall behind',
    'leave and return',
    'edit',
    'edit, and lose the answer',
    'edit again',
    'edit on condition',
    'delete',
    'hide',
  ),
});

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** The history of a correct service and its clients. Bob has a live reader. */
function simulate(steps: readonly Step[]): HandMade {
  const history = new HandMade();
  let reader = history.open('bob');
  let given = 0;
  let behind = false;
  const catchUp = () => {
    history.give(reader, history.since(given));
    given = history.log.length;
  };
  catchUp();
  history.reached(reader, given);
  for (const [i, { user, does }] of steps.entries()) {
    const id = `${i}`;
    switch (does) {
      case 'send':
        history.send(user, id);
        break;
      case 'send without a number':
        history.send(user, id, { seq: 0 });
        break;
      case 'lose the answer': {
        const begin = history.tick();
        const text = `${id} of ${user}`;
        const { id: messageId, seq } = history.place({ sender: user, clientMessageId: id, text });
        history.attempt(user, id, { begin, firstBegin: begin, outcome: 'unknown' });
        history.attempt(user, id, { firstBegin: begin, outcome: 'ok', messageId, seq });
        break;
      }
      case 'lose the message':
        history.attempt(user, id, { outcome: 'unknown' });
        break;
      case 'retry': {
        const firstBegin = history.tick();
        const { id: messageId, seq } = history.send(user, id, { firstBegin });
        history.attempt(user, id, { firstBegin, outcome: 'ok', messageId, seq });
        break;
      }
      case 'be refused':
        history.attempt(user, id, { outcome: 'refused', reason: 'RATE_LIMITED' });
        break;
      case 'read a page': {
        const before = history.visible.at(-6)?.seq ?? 0;
        const page = history.open(user, { source: 'page', afterSeq: before });
        history.give(page, history.visible.slice(-5));
        history.reached(page, history.visible.at(-1)!.seq);
        history.close(page);
        break;
      }
      case 'reconnect':
        history.close(reader);
        reader = history.open('bob', { afterSeq: given });
        catchUp();
        history.reached(reader, given);
        break;
      case 'fall behind':
        behind = !behind;
        break;
      case 'leave and return':
        history.remove('bob');
        catchUp();
        history.close(reader, 'told');
        history.addMember('bob');
        reader = history.open('bob', { afterSeq: given });
        break;
      case 'edit':
      case 'edit, and lose the answer':
      case 'edit again':
      case 'edit on condition': {
        const own = ownOf(history, user, i);
        if (!own) break;
        const ifVersion = does === 'edit on condition' ? own.updateSeq : undefined;
        if (does === 'edit, and lose the answer') {
          history.placeChange(own, { text: `${id} of ${user}` });
          history.change(user, own, id, {});
        } else {
          const { updateSeq: seq } = history.edit(user, own, id, { ifVersion });
          if (does === 'edit again') history.change(user, own, id, { outcome: 'ok', seq });
        }
        break;
      }
      case 'delete':
      case 'hide': {
        const own = ownOf(history, user, i);
        if (own) history.delete(user, own, id, { hide: does === 'hide' });
        break;
      }
      default:
        does satisfies never;
    }
    if (!behind) catchUp();
  }
  catchUp();
  history.audit();
  history.close(reader, 'end');
  return history;
}

/** A message of the user that is not deleted. */
function ownOf({ chat }: HandMade, user: string, place: number): HandMade['chat'][number] | undefined {
  const own = chat.filter(({ sender, system, deleted }) => sender === user && !system && !deleted);
  return own[place % own.length];
}

const faults: Record<string, (records: HistoryRecord[], place: number) => boolean> = {
  'a live reader does not receive a message': (records, place) => {
    // The last message before the end of a reader may be missing: the client had left, or learned of the end in another way.
    const given = indexes(records, (one, i) => {
      if (!isGiven(one) || !isLive(records, one.reader)) return false;
      const next = records.slice(i + 1).find((later) => 'reader' in later && later.reader === one.reader);
      return next?.kind === 'message';
    });
    return remove(records, given[place % given.length]);
  },
  'a live reader receives a message twice': (records, place) => {
    const given = indexes(records, (one) => isGiven(one) && isLive(records, one.reader));
    const at = given[place % given.length];
    if (at !== undefined) records.splice(at, 0, records[at]!);
    return at !== undefined;
  },
  'a live reader receives two messages in the wrong order': (records, place) => {
    const pairs = indexes(records, (one, i) => {
      const next = records[i + 1];
      return isGiven(one) && next?.kind === 'message' && next.reader === one.reader && isLive(records, one.reader);
    });
    const at = pairs[place % pairs.length];
    if (at === undefined) return false;
    [records[at], records[at + 1]] = [records[at + 1]!, records[at]!];
    return true;
  },
  'a live reader is not given what is covered': (records, place) => {
    const covered = indexes(records, (one, i) => {
      const next = records
        .slice(i + 1)
        .find((later) => 'reader' in later && 'reader' in one && later.reader === one.reader);
      return one.kind === 'covered' && isLive(records, one.reader) && next?.kind === 'message';
    });
    return remove(records, covered[place % covered.length]);
  },
  'a live reader is given a change as covered': (records, place) => {
    const final = new Map(
      records.flatMap((one) => (isGiven(one) && isAudit(records, one.reader) ? [[one.id, one.updateSeq]] : [])),
    );
    const changed = indexes(
      records,
      (one) => isGiven(one) && !!one.changed && isLive(records, one.reader) && final.get(one.id) === one.updateSeq,
    );
    const at = changed[place % changed.length];
    if (at === undefined) return false;
    const { at: time, reader, updateSeq } = records[at] as MessageRecord;
    records[at] = { kind: 'covered', at: time, reader, from: updateSeq, to: updateSeq };
    return true;
  },
  'the history has a message in its first version': (records, place) => {
    const read = indexes(records, (one) => isGiven(one) && isAudit(records, one.reader) && one.updateSeq > one.seq);
    const at = read[place % read.length];
    if (at === undefined) return false;
    const { deleted: _, ...message } = records[at] as MessageRecord;
    records[at] = { ...message, updateSeq: message.seq, text: `${message.clientMessageId} of ${message.sender}` };
    return true;
  },
  'the history has lost a message': (records, place) => {
    const read = indexes(records, (one) => isGiven(one) && isAudit(records, one.reader)).slice(0, -1);
    return remove(records, read[place % read.length]);
  },
  'the history has other contents': (records, place) => {
    const read = indexes(records, (one) => isGiven(one) && isAudit(records, one.reader) && !one.system);
    const at = read[place % read.length];
    if (at === undefined) return false;
    records[at] = { ...(records[at] as MessageRecord), text: 'other contents' };
    return true;
  },
  'a message is acknowledged under another id': (records, place) => {
    const sent = indexes(records, (one) => one.kind === 'send' && one.outcome === 'ok');
    const at = sent[place % sent.length];
    if (at === undefined) return false;
    records[at] = { ...records[at]!, messageId: 'another' } as HistoryRecord;
    return true;
  },
};

test('a correct service is never accused of a violation', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      expect(check(simulate(steps).records).violations).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test.each(Object.keys(faults))('the checker always notices when %s', (name) => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), fc.nat(), (steps, place) => {
      const { records } = simulate(steps);
      fc.pre(faults[name]!(records, place));
      expect(check(records).ok).toBe(false);
    }),
    { numRuns: 150 },
  );
});

function isGiven(record: HistoryRecord): record is MessageRecord {
  return record.kind === 'message';
}

function sourceOf(records: HistoryRecord[], reader: string) {
  return records.find((record) => record.kind === 'open' && record.reader === reader) as { source?: string };
}

function isLive(records: HistoryRecord[], reader: string): boolean {
  return sourceOf(records, reader).source === 'live';
}

function isAudit(records: HistoryRecord[], reader: string): boolean {
  return sourceOf(records, reader).source === 'audit';
}

function indexes(records: HistoryRecord[], suits: (record: HistoryRecord, i: number) => boolean): number[] {
  return records.flatMap((record, i) => (suits(record, i) ? [i] : []));
}

function remove(records: HistoryRecord[], at: number | undefined): boolean {
  if (at !== undefined) records.splice(at, 1);
  return at !== undefined;
}
