import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Batch } from '../../model/batch.ts';
import { type Entry, entryOf, firstSeqOf, type MembershipEnd, seqOf } from '../../model/entry.ts';
import type { EphemeralEvent } from '../../model/ephemeral-event.ts';
import type { Message } from '../../model/message.ts';
import type { SystemEvent } from '../../model/system-event.ts';
import type { ChangesPage } from '../../repository/message-repository.ts';
import { eventually } from '../../testing/eventually.ts';
import { deliveryCounters } from './delivery-counters.ts';
import type { SharedEvent } from './shared-event.ts';
import { Topic, type TopicOptions, type TopicReader } from './topic.ts';

/** What the database would say of one chat. */
class Log {
  lastSeq = 0;
  fetches = 0;
  failing = false;
  deleted = false;
  /** Answers wait for this. */
  held: Promise<void> = Promise.resolve();
  /** By `seq`. */
  readonly rows = new Map<number, Message>();
  /** By number, the `seq` of the message that it sent or changed. */
  readonly #targets: number[] = [];

  append(count: number, text = 'text', system?: SystemEvent): Message[] {
    return Array.from({ length: count }, () => this.#write(this.lastSeq + 1, text, system));
  }

  /** Edits the message that was sent or changed as this number. */
  edit(number: number): Message[] {
    return [this.#write(this.#targets[number]!, `edited as ${this.lastSeq + 1}`)];
  }

  /** One entry for each number: messages in their newest state, and changes that no later one has replaced. */
  after(seq: number): Entry[] {
    const numbers = Array.from({ length: this.lastSeq - seq }, (_, i) => seq + 1 + i);
    return numbers.map((number) => {
      const message = this.rows.get(this.#targets[number]!)!;
      if (message.seq === number) return { kind: 'message', message };
      if (message.updateSeq === number) return { kind: 'message_changed', message };
      return { kind: 'covered', chatId: 'chat', fromSeq: number, toSeq: number };
    });
  }

  readonly fetch = async (afterSeq: number, limit: number): Promise<ChangesPage | undefined> => {
    this.fetches += 1;
    const [found, { lastSeq, deleted, failing }] = [this.after(afterSeq), this];
    await nextTurn();
    await this.held;
    if (failing) throw new Error('away');
    if (deleted) return undefined;
    return { batch: new Batch(found.slice(0, limit)), lastSeq, hasMore: found.length > limit };
  };

  #write(seq: number, text: string, system?: SystemEvent): Message {
    this.lastSeq += 1;
    this.#targets[this.lastSeq] = seq;
    const sender = { id: 'alice', name: '' };
    const known = { id: `${seq}`, chatId: 'chat', sender, clientMessageId: '', createdAt: new Date(0), system };
    const message = { ...known, seq, updateSeq: this.lastSeq, text };
    this.rows.set(seq, message);
    return message;
  }
}

class Reader implements TopicReader {
  readonly userId: string;
  readonly got: Entry[] = [];
  readonly ended: MembershipEnd[] = [];
  readonly ephemeral: EphemeralEvent[] = [];
  readonly epochs: { epoch: string; validSeq: number; lost: boolean }[] = [];
  deleted = 0;

  constructor(userId = 'reader') {
    this.userId = userId;
  }

  onBatch(batch: Batch): void {
    this.got.push(...batch.entries);
  }

  onMembershipEnded(end: MembershipEnd): void {
    this.ended.push(end);
  }

  onEphemeralEvent({ event }: SharedEvent<EphemeralEvent>): void {
    this.ephemeral.push(event);
  }

  onDeleted(): void {
    this.deleted += 1;
  }

  onEpoch(epoch: string, validSeq: number, lost: boolean): void {
    this.epochs.push({ epoch, validSeq, lost });
  }

  get numbers(): number[] {
    return this.got.map(seqOf);
  }
}

function topicOf(log: Log, options: Partial<TopicOptions> = {}, onFetchError = () => {}): Topic {
  const defaults = { stragglerMs: 1, recentChars: 10_000, pageSize: 10 };
  return new Topic(
    { head: log.lastSeq, epoch: 'e' },
    { fetch: log.fetch, onFetchError, onDeletion: () => {}, counters: deliveryCounters() },
    { ...defaults, ...options },
  );
}

function live(topic: Topic, reader = new Reader()): Reader {
  topic.add(reader);
  topic.goLive(reader);
  return reader;
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const messages = (messages: readonly Message[]) => ({ kind: 'entries', entries: messages.map(entryOf) }) as const;

describe('a topic', () => {
  test('gives all live readers the same batch, so that they share its frames', () => {
    const log = new Log();
    const topic = topicOf(log);
    const seen: Batch[] = [];
    for (let i = 0; i < 3; i += 1) {
      live(topic, Object.assign(new Reader(), { onBatch: (given: Batch) => seen.push(given) }));
    }
    const appended = log.append(3);
    topic.receive(messages(appended));
    expect(seen).toHaveLength(3);
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]!.entries).toEqual(appended.map(entryOf));
    expect(topic.head).toBe(3);
  });

  test('gives all live readers the same ephemeral event, or only those of the user that it is for', () => {
    const topic = topicOf(new Log());
    const seen: [string, SharedEvent][] = [];
    for (const userId of ['a', 'b', 'b']) {
      const onEphemeralEvent = (given: SharedEvent) => void seen.push([userId, given]);
      live(topic, Object.assign(new Reader(userId), { onEphemeralEvent }));
    }
    const event = { kind: 'read', chatId: 'chat', userId: 'b', seq: 1, generation: 0 } as const;
    topic.receive({ kind: 'ephemeral', event });
    expect(seen.map(([userId]) => userId)).toEqual(['a', 'b', 'b']);
    expect(new Set(seen.map(([, shared]) => shared)).size).toBe(1);
    expect(seen[0]![1].event).toBe(event);
    topic.receive({ kind: 'ephemeral', event, onlyTo: 'b' });
    expect(seen.slice(3).map(([userId]) => userId)).toEqual(['b', 'b']);
  });

  test('gives readers who lack the same recent entries the same batch', () => {
    const log = new Log();
    const topic = topicOf(log);
    topic.receive(messages(log.append(3)));
    const batch = topic.since(1);
    expect(topic.since(1)).toBe(batch);
    expect(topic.since(2)?.entries).toEqual(batch!.entries.slice(1));
    topic.receive(messages(log.append(1)));
    expect(topic.since(1)?.entries.map(seqOf)).toEqual([2, 3, 4]);
  });

  test.each([
    ['in one publication', (changes: Message[][], receive: (list: Message[]) => void) => receive(changes.flat())],
    ['one by one', (changes, receive) => changes.forEach(receive)],
    ['with the first one last', (changes, receive) => changes.toReversed().forEach(receive)],
  ] satisfies [string, (changes: Message[][], receive: (list: Message[]) => void) => void][])(
    'keeps of a message that was changed twice only the newest state, told %s: a page may have shown that already',
    (_, tell) => {
      const log = new Log();
      const topic = topicOf(log, { stragglerMs: 10_000 });
      topic.receive(messages(log.append(2)));
      const changes = [log.edit(1), log.append(1), log.edit(1), log.edit(1), log.edit(2)];
      tell(changes, (list) => topic.receive(messages(list)));
      expect(topic.since(0)?.entries).toEqual(log.after(0));
      expect(topic.since(2)?.entries).toEqual(log.after(2));
      topic.stop();
    },
  );

  test('puts in order what was overtaken, without asking the database, and drops what is doubled', async () => {
    const log = new Log();
    const topic = topicOf(log, { stragglerMs: 10_000 });
    const reader = live(topic);
    const [one, two, three, four] = [log.append(1), log.append(2), log.append(1), log.append(1)];
    for (const each of [two, two, four, one, one, three, four]) topic.receive(messages(each));
    expect(reader.numbers).toEqual([1, 2, 3, 4, 5]);
    expect(log.fetches).toBe(0);
    topic.stop();
  });

  test('fetches what the bus does not bring, page by page', async () => {
    const log = new Log();
    const topic = topicOf(log, { pageSize: 3 });
    const reader = live(topic);
    log.append(10);
    topic.receive(messages(log.append(1)));
    await eventually(() => expect(reader.numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]));
    expect(log.fetches).toBe(4);
  });

  test('fetches what it knows of only by a head', async () => {
    const log = new Log();
    const topic = topicOf(log);
    const reader = live(topic);
    log.append(2);
    topic.receive({ kind: 'head', seq: 2 });
    await eventually(() => expect(reader.numbers).toEqual([1, 2]));
  });

  test('fetches again for a head that arrives during a fetch', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const log = new Log();
    const topic = topicOf(log, { stragglerMs: 0 });
    const reader = live(topic);
    const { promise: answer, resolve } = Promise.withResolvers<void>();
    log.held = answer;
    log.append(1);
    topic.receive({ kind: 'head', seq: 1 });
    await eventually(() => expect(log.fetches).toBe(1));
    log.append(1);
    topic.receive({ kind: 'head', seq: 2 });
    // The straggler's time is over, and finds the fetch still under way.
    vi.advanceTimersByTime(20);
    resolve();
    await eventually(() => expect(reader.numbers).toEqual([1, 2]));
  });

  test('tries again with the next publication when fetching fails', async () => {
    const log = new Log();
    let errors = 0;
    const topic = topicOf(log, {}, () => {
      errors += 1;
    });
    const reader = live(topic);
    log.append(2);
    log.failing = true;
    topic.receive({ kind: 'head', seq: 2 });
    await eventually(() => expect(errors).toBe(1));
    log.failing = false;
    topic.receive({ kind: 'head', seq: 2 });
    await eventually(() => expect(reader.numbers).toEqual([1, 2]));
  });

  test('keeps a bounded number of early entries, and fetches the rest', async () => {
    const log = new Log();
    const topic = topicOf(log, { pageSize: 500, stragglerMs: 100 });
    const reader = live(topic);
    log.append(1);
    const early = Array.from({ length: 3_000 }, () => {
      const copy = structuredClone(log.append(1)[0]!);
      topic.receive(messages([copy]));
      return new WeakRef(copy);
    });
    await nextTurn();
    collectGarbage();
    expect(early.filter((message) => message.deref()).length).toBeLessThan(1_500);
    await eventually(() => expect(reader.numbers).toEqual(Array.from({ length: 3_001 }, (_, i) => i + 1)));
  });

  test('keeps the newest entries, and says when it no longer has all of those after a number', () => {
    const log = new Log();
    const topic = topicOf(log, { recentChars: 3 * 300 });
    const numbers = (seq: number) => topic.since(seq)?.entries.map(seqOf);
    expect(numbers(0)).toEqual([]);
    topic.receive(messages(log.append(2, 'x'.repeat(100))));
    expect(numbers(0)).toEqual([1, 2]);
    topic.receive(messages(log.append(2, 'x'.repeat(100))));
    expect([0, 1, 2, 3, 4, 9].map(numbers)).toEqual([undefined, [2, 3, 4], [3, 4], [4], [], []]);
    topic.receive(messages(log.append(1, 'x'.repeat(10_000))));
    expect([3, 4, 5].map(numbers)).toEqual([undefined, undefined, []]);
  });

  test('tells the readers who are not live, too, that their membership has ended, and each only their own', () => {
    const log = new Log();
    const topic = topicOf(log);
    const [gone, other, liveOne] = [new Reader('gone'), new Reader('other'), live(topic, new Reader('gone'))];
    topic.add(gone);
    topic.add(other);
    const [removal] = log.append(1, '', { kind: 'member_removed', user: { id: 'gone', name: '' } });
    topic.receive(messages([removal!]));
    const end = { userId: 'gone', reason: 'REMOVED', seq: 1 };
    expect([gone.ended, other.ended, liveOne.ended]).toEqual([[end], [], []]);
    expect([gone.got, liveOne.got]).toEqual([[], [entryOf(removal!)]]);
  });

  test('tells every reader once when the chat is deleted, and delivers nothing any more', async () => {
    const log = new Log();
    const topic = topicOf(log);
    const [reader, waiting] = [live(topic), new Reader()];
    topic.add(waiting);
    log.append(2);
    log.deleted = true;
    topic.receive({ kind: 'head', seq: 2 });
    await eventually(() => expect([reader.deleted, waiting.deleted]).toEqual([1, 1]));
    topic.receive({ kind: 'deleted' });
    topic.receive(messages(log.append(1)));
    expect([reader.deleted, reader.got]).toEqual([1, []]);
  });

  test('goes back when another epoch begins, and gives its readers the numbers of that epoch anew', async () => {
    const log = new Log();
    const topic = topicOf(log);
    const reader = live(topic);
    topic.receive(messages(log.append(7)));
    topic.receive({ kind: 'head', seq: 9 });

    const after = new Log();
    after.append(4);
    topic.enterEpoch('f', 4);
    expect([topic.head, topic.epoch, reader.epochs]).toEqual([4, 'f', [{ epoch: 'f', validSeq: 4, lost: true }]]);
    expect([topic.since(4)?.isEmpty, topic.since(3)]).toEqual([true, undefined]);
    // A publication of the epoch before arrives late: its numbers belong to other messages now.
    topic.receive({ ...messages(log.append(1)), epoch: 'e' });
    expect(reader.numbers).toEqual([1, 2, 3, 4, 5, 6, 7]);
    topic.receive({ ...messages(after.append(2, 'new')), epoch: 'f' });
    expect(reader.got.slice(7)).toMatchObject([
      { message: { seq: 5, text: 'new' } },
      { message: { seq: 6, text: 'new' } },
    ]);
    topic.stop();
  });

  test('drops a page that was read in the epoch before', async () => {
    const log = new Log();
    const topic = topicOf(log);
    const reader = live(topic);
    const { promise: answer, resolve } = Promise.withResolvers<void>();
    log.held = answer;
    log.append(3, 'old');
    topic.receive({ kind: 'head', seq: 3 });
    await eventually(() => expect(log.fetches).toBe(1));
    log.lastSeq = 0;
    topic.enterEpoch('f', 0);
    log.append(3, 'new');
    resolve();
    await eventually(() => expect(reader.numbers).toEqual([1, 2, 3]));
    expect(reader.got).toMatchObject([1, 2, 3].map(() => ({ message: { text: 'new' } })));
  });

  test('asks only once for a number that the database lacks', async () => {
    const log = new Log();
    const topic = topicOf(log, { stragglerMs: 0 });
    const reader = live(topic);
    log.append(1);
    topic.receive({ kind: 'head', seq: 5 });
    await eventually(() => expect(reader.numbers).toEqual([1]));
    for (let turns = 0; turns < 50; turns += 1) await nextTurn();
    expect(log.fetches).toBe(1);
  });

  test('gives nothing to a reader that was removed or is not live', () => {
    const log = new Log();
    const topic = topicOf(log);
    const [gone, behind] = [live(topic), live(topic)];
    topic.remove(gone);
    topic.goLive(gone);
    topic.leaveLive(behind);
    topic.receive(messages(log.append(1)));
    expect([gone.got, behind.got]).toEqual([[], []]);
  });
});

type Step =
  | { kind: 'append'; count: number }
  | { kind: 'edit'; which: number }
  | { kind: 'deliver'; which: number; twice: boolean }
  | { kind: 'drop'; which: number }
  | { kind: 'hint' }
  | { kind: 'turn' }
  | { kind: 'repair' }
  | { kind: 'join' };

test('whatever the bus loses, doubles and reorders, every reader is given every change once, in order', async () => {
  const which = fc.nat(99);
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 4 }) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('edit' as const), which }) },
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('deliver' as const), which, twice: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('drop' as const), which }) },
    {
      weight: 4,
      arbitrary: fc.constantFrom<Step>(...(['turn', 'hint', 'repair', 'join'] as const).map((kind) => ({ kind }))),
    },
  );
  const steps = fc.array(step, { minLength: 1, maxLength: 60, size: 'max' });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 5 }), async (steps, pageSize) => {
      const log = new Log();
      log.append(2);
      const topic = topicOf(log, { pageSize, recentChars: 2_000, stragglerMs: 0 });
      const readers = [{ reader: live(topic), from: 2, state: new Map(log.rows) }];
      const underWay: (readonly Message[])[] = [];
      for (const each of steps) {
        if (each.kind === 'append') underWay.push(log.append(each.count));
        else if (each.kind === 'edit') underWay.push(log.edit(1 + (each.which % log.lastSeq)));
        else if (each.kind === 'hint') topic.receive({ kind: 'head', seq: log.lastSeq });
        else if (each.kind === 'turn') await nextTurn();
        else if (each.kind === 'repair') void topic.repair();
        else if (each.kind === 'join') {
          // One who has seen everything that this topic has seen.
          const seen = topic.head;
          const state = new Map([...log.rows].filter(([, { updateSeq }]) => updateSeq <= seen));
          readers.push({ reader: live(topic), from: seen, state });
        } else {
          const i = each.which % (underWay.length || 1);
          const publication = each.kind === 'deliver' && each.twice ? underWay[i] : underWay.splice(i, 1)[0];
          if (publication && each.kind === 'deliver') topic.receive(messages(publication));
        }
      }
      topic.receive({ kind: 'head', seq: log.lastSeq });
      for (let turns = 0; topic.head < log.lastSeq && turns < 10_000; turns += 1) await nextTurn();
      expect(topic.head).toBe(log.lastSeq);

      for (const { reader, from, state } of readers) {
        let next = from + 1;
        for (const entry of reader.got) {
          expect(firstSeqOf(entry)).toBe(next);
          next = seqOf(entry) + 1;
          if ('message' in entry) state.set(entry.message.seq, entry.message);
        }
        expect(next).toBe(log.lastSeq + 1);
        // The state that the reader had may have held nothing of what was changed while it had not joined.
        for (const [seq, message] of log.rows) if (message.updateSeq > from) expect(state.get(seq)).toEqual(message);
      }
      topic.stop();
    }),
    { numRuns: 400 },
  );
});
