import { expect, test } from 'vitest';
import { MemoryBus } from '../client/bus/memory-bus.ts';
import { Batch } from '../model/batch.ts';
import type { Entry } from '../model/entry.ts';
import type { Message } from '../model/message.ts';
import type { Changed, ChangeRepository, NewChange } from '../repository/change-repository.ts';
import type { MessageRepository } from '../repository/message-repository.ts';
import type { ReactionRepository } from '../repository/reaction-repository.ts';
import type { StreamRepository } from '../repository/stream-repository.ts';
import { refusalOf } from '../service/authorization.ts';
import { eventually } from '../testing/eventually.ts';
import { FlakyLink } from '../testing/faults/flaky-link.ts';
import { LossyBus } from '../testing/faults/lossy-bus.ts';
import { withFaults } from '../testing/faults/with-faults.ts';
import { startTestService, type TestService } from '../testing/services/test-service.ts';
import { issueToken } from '../testing/services/tokens.ts';
import { turns } from '../testing/turns.ts';
import { Checker } from './checker/checker.ts';
import type { ViolationKind } from './checker/violation.ts';
import type { HistoryRecord } from './history/history-record.ts';
import { Journal } from './history/journal.ts';
import { runWorkload } from './workload/run-workload.ts';

// Slow: each test has random clients use a faulty service for seconds, and judges what they saw.
type Overrides = NonNullable<Parameters<typeof startTestService>[1]>;

interface Broken {
  overrides: () => Overrides;
  /** The violations of which at least one must be found. */
  found: ViolationKind[];
  env?: Record<string, string>;
  /** Whether a message is sent at the end to a chat with a live reader. */
  sendsLast?: boolean;
}

/** Each of these breaks one promise of a real service, now and then. */
const broken: Record<string, Broken> = {
  'acknowledges before it commits (1)': {
    found: ['lost'],
    overrides: () => ({
      messages: breakAppend(async (real, batch, roles) => {
        const kept = batch.filter(() => !now(20));
        const stored = kept.length > 0 ? await real.appendBatch(kept, roles) : [];
        return batch.map((message) => {
          const i = kept.indexOf(message);
          const made = { outcome: 'stored' as const, messageId: message.id, seq: 1, createdAt: new Date() };
          return stored[i] ?? made;
        });
      }),
    }),
  },
  'stores replies without what they reply to (1)': {
    found: ['misquoted'],
    overrides: () => ({
      messages: breakAppend((real, batch, roles) =>
        real.appendBatch(
          batch.map(({ replyToId, ...message }) => (now(3) || !replyToId ? message : { ...message, replyToId })),
          roles,
        ),
      ),
    }),
  },
  'answers with the numbers of others (2)': {
    found: ['lost', 'reordered'],
    overrides: () => ({
      messages: breakAppend(async (real, batch, roles) => {
        const answers = await real.appendBatch(batch, roles);
        return answers.map((answer) => (now(20) ? { ...answer, seq: Math.max(1, answer.seq - 3) } : answer));
      }),
    }),
  },
  'does not recognise retries (3)': {
    found: ['retry-differs', 'id-reused'],
    overrides: () => ({
      messages: breakAppend((real, batch, roles) =>
        real.appendBatch(
          batch.map((message) => ({ ...message, clientMessageId: `${message.clientMessageId}.${next()}` })),
          roles,
        ),
      ),
    }),
  },
  'leaves holes when a client resumes (4)': {
    found: ['hole'],
    overrides: () => ({
      messages: (real) =>
        withFaults<MessageRepository>(real, () => ({
          findChangesAsMember: async (...args) => {
            const page = await real.findChangesAsMember(...args);
            if (!page) return undefined;
            const entries = page.batch.entries.filter(
              (entry) => ('message' in entry && entry.message.system) || !now(10),
            );
            return { ...page, batch: new Batch(entries) };
          },
        })),
    }),
  },
  'drops what is too much for a slow reader (5)': {
    found: ['hole', 'silent'],
    env: { OUTBOX_BYTES: '1024' },
    overrides: () => ({
      messages: (real) =>
        withFaults<MessageRepository>(real, () => ({
          findChangesAsMember: async (chatId, userId, afterSeq, limit) => {
            const page = await real.findChangesAsMember(chatId, userId, afterSeq, limit);
            // A reader that has read some messages receives only the newest.
            if (!page || afterSeq <= 3) return page;
            return { ...page, batch: new Batch(page.batch.entries.slice(-1)), hasMore: false };
          },
        })),
    }),
  },
  'relies on the bus (6)': {
    found: ['silent', 'hole'],
    // A reader that subscribes late enough has everything.
    sendsLast: true,
    overrides: () => ({
      bus: new LossyBus(new MemoryBus(), { chat: () => 'lose' }),
      messages: (real) => {
        const first = new Map<string, number>();
        return withFaults<MessageRepository>(real, () => ({
          // The repair learns of no number that was not there when the chat's first reader came.
          listHeads: async (chatIds) => {
            const heads = await real.listHeads(chatIds);
            for (const [chatId, seq] of heads) if (!first.has(chatId)) first.set(chatId, seq);
            return new Map([...heads.keys()].map((chatId) => [chatId, first.get(chatId)!]));
          },
        }));
      },
    }),
  },
  'drops changes that it has acknowledged (1)': {
    found: ['lost-change'],
    overrides: () => {
      let [edits, last] = [0, 0];
      return {
        changes: breakChange(async (append, change) => {
          edits += change.change.kind === 'edited' ? 1 : 0;
          if (change.change.kind === 'edited' && edits % 3 === 0)
            // An outcome that is acknowledged without any publication.
            return { outcome: 'already_deleted', seq: last + 1, createdAt: new Date() };
          const changed = await append(change);
          if ('seq' in changed) last = Math.max(last, changed.seq);
          return changed;
        }),
      };
    },
  },
  'acknowledges reactions that it does not store (1)': {
    found: ['lost-change'],
    overrides: () => ({
      reactions: (real) =>
        withFaults<ReactionRepository>(real, () => ({
          appendBatch: async (batch, rules, waitMs) => {
            const kept = batch.filter(() => !now(3));
            const answers = await real.appendBatch(kept, rules, waitMs);
            return batch.map((one) => answers[kept.indexOf(one)] ?? { outcome: 'unchanged' as const });
          },
        })),
    }),
  },
  'delivers parts of streamed messages that it has not stored (2)': {
    found: ['not-a-prefix', 'differs'],
    overrides: () => ({
      streams: (real) =>
        withFaults<StreamRepository>(real, () => ({
          appendBatch: async (batch, rules, waitMs) =>
            (await real.appendBatch(batch, rules, waitMs)).map((one) => {
              if (one.outcome !== 'stored' || one.what.kind !== 'part' || !now(4)) return one;
              const part = { ...one.what.part, text: one.what.part.text.slice(1) };
              return { ...one, what: { kind: 'part', part } };
            }),
        })),
    }),
  },
  'shows old texts after edits (1)': {
    found: ['stale'],
    overrides: () => ({
      messages: (real) => {
        const first = new Map<string, Message>();
        return breakPages(real, (message) => {
          const old = first.get(message.id) ?? message;
          first.set(message.id, old);
          return message.deletion ? message : old;
        });
      },
    }),
  },
  'forgets the data of messages on pages (1)': {
    found: ['differs'],
    overrides: () => ({ messages: (real) => breakPages(real, ({ data: _, ...message }) => message) }),
  },
  'shows deleted texts (1)': {
    found: ['deleted-seen'],
    overrides: () => {
      const texts = new Map<string, string>();
      return {
        messages: (real) => {
          const pages = breakPages(real, ({ deletion, ...message }) =>
            deletion ? { ...message, updateSeq: message.seq, text: texts.get(message.id) ?? '' } : message,
          );
          return withFaults<MessageRepository>(pages, () => ({
            appendBatch: (batch, ...rest) => {
              for (const { id, text } of batch) texts.set(id, text);
              return real.appendBatch(batch, ...rest);
            },
          }));
        },
      };
    },
  },
  'makes a change again when it is repeated (3)': {
    found: ['doubled'],
    overrides: () => ({
      changes: breakChange(async (append, change) => {
        const clientChangeId = change.clientChangeId && `${change.clientChangeId}.${next()}`;
        return append({ ...change, clientChangeId });
      }),
    }),
  },
  'ignores the version that an edit names (3)': {
    found: ['condition-ignored'],
    overrides: () => ({
      changes: breakChange((append, change) => append({ ...change, ifVersion: undefined })),
    }),
  },
  'leaves out changes when a client resumes (4)': {
    found: ['hole'],
    overrides: () => ({
      messages: (real) =>
        withFaults<MessageRepository>(real, () => ({
          findChangesAsMember: async (...args) => {
            const page = await real.findChangesAsMember(...args);
            if (!page) return undefined;
            return { ...page, batch: new Batch(page.batch.entries.filter(({ kind }) => kind !== 'message_changed')) };
          },
        })),
    }),
  },
  'calls changes covered that are not (4)': {
    found: ['hole'],
    overrides: () => ({
      messages: (real) =>
        withFaults<MessageRepository>(real, () => ({
          findChangesAsMember: async (...args) => {
            const page = await real.findChangesAsMember(...args);
            if (!page) return undefined;
            return { ...page, batch: new Batch(page.batch.entries.map(coverChange)) };
          },
        })),
    }),
  },
  'lets members change the messages of others (9)': {
    found: ['changed-by-other'],
    overrides: () => ({
      changes: breakChange((append, change) => append({ ...change, asService: true })),
    }),
  },
  'lets every user read every chat (7)': {
    found: ['leaked'],
    overrides: () => ({
      messages: (real) =>
        withFaults<MessageRepository>(real, () => ({
          get: (chatId, messageId) => real.get(chatId, messageId),
          listHistory: (chatId, range, limit) => real.listHistory(chatId, range, limit),
        })),
    }),
  },
  'puts messages under other names (9)': {
    found: ['spoken-for'],
    overrides: () => {
      let other: { id: string; name: string } | undefined;
      return {
        messages: breakAppend((real, batch, roles) => {
          const swapped = batch.map((message) => {
            const sender = other && now(15) ? other : message.sender;
            other = message.sender;
            return { ...message, sender };
          });
          return real.appendBatch(swapped, roles);
        }),
      };
    },
  },
};

let count = 0;

function next(): number {
  count += 1;
  return count;
}

/** True on every n-th call, n being `every`. */
function now(every: number): boolean {
  return next() % every === 0;
}

function breakAppend(
  fault: (
    real: MessageRepository,
    ...args: Parameters<MessageRepository['appendBatch']>
  ) => ReturnType<MessageRepository['appendBatch']>,
): (real: MessageRepository) => MessageRepository {
  return (real) => withFaults<MessageRepository>(real, () => ({ appendBatch: (...args) => fault(real, ...args) }));
}

type Append = (change: NewChange) => Promise<Changed>;

/** Commits each change alone, in the way of the fault. */
function breakChange(
  fault: (append: Append, change: NewChange) => Promise<Changed>,
): (real: ChangeRepository) => ChangeRepository {
  return (real) =>
    withFaults<ChangeRepository>(real, () => ({
      appendBatch: (batch, ...rest) => {
        const append: Append = async (change) => (await real.appendBatch([change], ...rest))[0]!;
        return Promise.all(batch.map((change) => fault(append, change)));
      },
    }));
}

function breakPages(real: MessageRepository, fault: (message: Message) => Message): MessageRepository {
  return withFaults<MessageRepository>(real, () => ({
    listHistory: async (...args) => {
      const page = await real.listHistory(...args);
      return { ...page, messages: page.messages.map(fault) };
    },
  }));
}

function coverChange(entry: Entry): Entry {
  if (entry.kind !== 'message_changed') return entry;
  const { chatId, updateSeq: seq } = entry.message;
  return { kind: 'covered', chatId, fromSeq: seq, toSeq: seq };
}

/** The open streams' readers of chats, by the history. */
class LiveReaders {
  /** By reader, its chat. */
  readonly open = new Map<string, string>();
  readonly caughtUp = new Map<string, string>();

  add(record: HistoryRecord): void {
    if (record.kind === 'open' && record.source === 'live') this.open.set(record.reader, record.chatId);
    if (record.kind === 'close') {
      this.open.delete(record.reader);
      this.caughtUp.delete(record.reader);
    }
    const chatId = record.kind === 'reached' ? this.open.get(record.reader) : undefined;
    if (record.kind === 'reached' && chatId !== undefined) this.caughtUp.set(record.reader, chatId);
  }
}

/** Waits until a live reader has caught up, and sends a message to its chat, as a backend does. */
async function sendToReader(service: TestService, { caughtUp }: LiveReaders): Promise<void> {
  const { token } = await issueToken(service.dsn, { userId: 'backend', roles: ['service'] });
  const { chat } = service.transport();
  await eventually(async () => {
    const sent = [...new Set(caughtUp.values())].map((chatId) =>
      chat.sendMessage({ chatId, clientMessageId: crypto.randomUUID(), text: 'the last' }, { token }),
    );
    // Chats may have been deleted.
    expect((await Promise.allSettled(sent)).map(({ status }) => status)).toContain('fulfilled');
  });
}

test.for(Object.entries(broken))(
  'the checker notices when a service %s',
  async ([, { overrides, found, env, sendsLast }]) => {
    const service = await startTestService(env, overrides());
    const checker = new Checker();
    const live = new LiveReaders();
    const journal = new Journal((record) => {
      checker.add(record);
      live.add(record);
    });
    const deployment = { grpc: [service.address], http: [service.url] };
    await runWorkload(deployment, journal, {
      seed: 1,
      clients: 8,
      operations: 400,
      // The operations end the run: a busy machine must not make fewer of them.
      durationMs: 200_000,
      paceMs: 3,
      faultsExpected: false,
      bounds: { deliveryMs: 10_000, revocationMs: 1_000 },
      settleMs: 1_500,
      onActed: async () => {
        if (sendsLast) await sendToReader(service, live);
      },
    });
    const { counts } = checker.finish();
    await service.stop();

    const kinds = Object.keys(counts) as ViolationKind[];
    expect(
      kinds.filter((kind) => found.includes(kind)),
      kinds.join(', '),
    ).not.toEqual([]);
  },
);

test('the checker notices when streams end without a reason, as from the bad input of others (10)', async () => {
  const service = await startTestService();
  const link = await FlakyLink.to(service.address);
  const live = new LiveReaders();
  let [acknowledged, isCut] = [0, false];
  const { counts, figures } = await runThrough(link, (record) => {
    live.add(record);
    if (record.kind !== 'send' || record.outcome !== 'ok') return;
    acknowledged += 1;
    // Every client may be about to reconnect: only an open stream can be cut off.
    if (isCut || acknowledged < 15 || live.open.size === 0) return;
    isCut = true;
    link.cut();
  });
  await link.close();
  await service.stop();

  expect(Object.keys(counts)).toEqual(['cut-off']);
  expect(figures.acknowledged).toBeGreaterThan(0);
});

test('the checker notices when a chat is gone by the end of the run', async () => {
  let isOver = false;
  const service = await startTestService(
    {},
    {
      messages: (real) =>
        withFaults<MessageRepository>(real, () => ({
          listHistory: async (...args) => {
            if (isOver) throw refusalOf('chat_not_found');
            return real.listHistory(...args);
          },
        })),
    },
  );
  const link = await FlakyLink.to(service.address);
  const { counts } = await runThrough(
    link,
    ({ kind, name }) => {
      isOver ||= kind === 'call' && name === 'audit';
    },
    500,
  );
  await link.close();
  await service.stop();

  expect(Object.keys(counts)).toEqual(['wrongly-denied']);
});

/** What a node does between the request to stop and its end, while another node takes its place. */
const deploys: Record<string, { found?: ViolationKind[]; commits?: boolean; tells?: boolean }> = {
  'commits what is under way and sends closing': {},
  'acknowledges messages that it no longer commits (8)': {
    found: ['lost', 'retry-differs', 'reordered'],
    commits: false,
  },
  'sends no closing (8)': { found: ['cut-off'], tells: false },
};

test.for(Object.entries(deploys))('a deploy that %s', async ([, { found, commits = true, tells = true }]) => {
  const env = { BUS_URL: 'postgres:', RECONNECT_SPREAD_MS: '1000' };
  const next = await startTestService(env);
  const link = await FlakyLink.to(next.address);
  const live = new LiveReaders();
  let appends = 0;
  let stopped: Promise<void> | undefined;
  const service = await startTestService(env, {
    dsn: next.dsn,
    messages: breakAppend(async (real, batch, roles) => {
      appends += 1;
      // Every client may be about to reconnect: only an open stream can be cut off.
      if (!stopped && appends >= 30 && live.open.size > 0) {
        link.target = next.address;
        if (!tells) link.cut();
        stopped = service.stop();
      }
      if (!stopped) return real.appendBatch(batch, roles);
      // These messages are under way while the node stops.
      await turns(50);
      if (commits) return real.appendBatch(batch, roles);
      return batch.map(({ id }) => ({ outcome: 'stored', messageId: id, seq: 1, createdAt: new Date() }));
    }),
  });
  link.target = service.address;
  const { counts, figures } = await runThrough(link, (record) => live.add(record));
  expect(stopped).toBeDefined();
  await stopped;
  await link.close();
  await next.stop();

  // A lost message that its sender sends again is stored by the other node, under another id and number.
  const kinds = Object.keys(counts) as ViolationKind[];
  if (found)
    expect(
      kinds.filter((kind) => found.includes(kind)),
      kinds.join(', '),
    ).not.toEqual([]);
  else expect(kinds).toEqual([]);
  expect(figures.acknowledged).toBeGreaterThan(0);
});

async function runThrough(
  link: FlakyLink,
  onRecord: (record: HistoryRecord & { name?: string }) => void = () => {},
  settleMs = 5_000,
): Promise<ReturnType<Checker['finish']>> {
  const checker = new Checker();
  const journal = new Journal((record) => {
    checker.add(record);
    onRecord(record);
  });
  await runWorkload({ grpc: [link.address], http: [] }, journal, {
    seed: 1,
    clients: 4,
    operations: 200,
    durationMs: 200_000,
    paceMs: 3,
    faultsExpected: false,
    bounds: { deliveryMs: 10_000, revocationMs: 1_000 },
    settleMs,
  });
  return checker.finish();
}
