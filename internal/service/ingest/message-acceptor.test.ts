import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { MemoryBus } from '../../client/bus/memory-bus.ts';
import type { AppendResult, IngestLog } from '../../client/ingest/ingest-log.ts';
import { ChatError } from '../../model/errors.ts';
import type { AcceptedMessage } from '../../model/message.ts';
import type { AcceptanceCheck } from '../../repository/ingest-repository.ts';
import type { NewMessage } from '../../repository/message-repository.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { MessageWriter } from '../writing/message-writer.ts';
import { MessageAcceptor } from './message-acceptor.ts';
import { SenderChecks } from './sender-checks.ts';

/** A database whose checks can be chosen, and that can be away or silent. */
class Checks {
  away = false;
  silent = false;
  asked = 0;
  result: (message: NewMessage) => AcceptanceCheck = () => ({ outcome: 'acceptable' });

  async checkAcceptance(batch: readonly NewMessage[]): Promise<AcceptanceCheck[]> {
    this.asked += 1;
    if (this.silent) await new Promise(() => {});
    if (this.away) throw new ChatError('STORAGE_UNAVAILABLE', 'away');
    return batch.map(this.result);
  }
}

/** Epochs that begin when a test says so. */
class Epochs {
  current = 'first';
  #listener = () => {};

  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  begin(epoch: string): void {
    this.current = epoch;
    this.#listener();
  }
}

/** A log whose answer to each attempt at a message can be chosen. */
class Log implements Pick<IngestLog, 'append'> {
  readonly entries: string[] = [];
  answers = new Map<string, ('lost' | 'refused' | 'full')[]>();

  async append(messages: readonly AcceptedMessage[]): Promise<AppendResult[]> {
    return messages.map(({ text }) => {
      const answer = this.answers.get(text)?.shift();
      if (answer === 'full') return { outcome: 'full' };
      if (answer !== 'refused' && !this.entries.includes(text)) this.entries.push(text);
      return answer ? { outcome: 'unavailable', cause: new Error(answer) } : { outcome: 'appended' };
    });
  }
}

/** For tests in which messages are refused because nobody can check them: many times as long as a check may take. */
const giveUpAfterMs = 2_000;

/** `giveUpAfterMs`: how long a message waits that nobody can check. */
function newFixture({ rememberMs = 60_000, giveUpAfterMs = 60_000 } = {}) {
  const [repository, epochs, log] = [new Checks(), new Epochs(), new Log()];
  const checks = new SenderChecks(
    { repository, epochs, log: new LogLines().logger },
    { max: 2, rememberMs, timeoutMs: 100, restMs: 50 },
  );
  const writer = new MessageWriter(
    { messages: new MessageAcceptor({ checks, log }), bus: new MemoryBus(), log: new LogLines().logger },
    { maxBatch: 100, maxInFlight: 2, maxQueued: 1_000, giveUpAfterMs },
  );
  const send = (text: string, sender = 'alice', chatId = 'chat') =>
    writer.append({ chatId, sender: { id: sender, name: sender }, clientMessageId: randomUUID(), text });
  /** The results of messages that are sent at the same time. */
  const outcomes = async (sends: Promise<unknown>[]) =>
    (await Promise.allSettled(sends)).map((result) =>
      result.status === 'fulfilled' ? 'accepted' : (result.reason as ChatError).reason,
    );
  return { repository, epochs, log, send, outcomes };
}

test('a message that was not appended does not end up behind a later one that is acknowledged', async () => {
  const { log, send, outcomes } = newFixture();
  log.answers.set('1', ['refused']);
  expect(await outcomes([send('1'), send('2')])).toEqual(['STORAGE_UNAVAILABLE', 'accepted']);
  expect(log.entries).toEqual(['2']);
});

test('while nothing is appended the same messages are tried again, in the same order', async () => {
  const { log, send, outcomes } = newFixture();
  log.answers.set('1', ['refused', 'lost']);
  log.answers.set('2', ['refused', 'refused']);
  expect(await outcomes([send('1'), send('2')])).toEqual(['accepted', 'accepted']);
  expect(log.entries).toEqual(['1', '2']);
});

test('a message that does not fit into the log is refused, and others are not', async () => {
  const { log, send, outcomes } = newFixture();
  log.answers.set('big', ['full']);
  expect(await outcomes([send('big'), send('small')])).toEqual(['WRITER_BUSY', 'accepted']);
});

test('a message that fails its check is refused with the reason and not appended', async () => {
  const { repository, log, send, outcomes } = newFixture();
  const results: Record<string, AcceptanceCheck> = {
    reused: { outcome: 'reused', chatType: 'ROOM' },
    stranger: { outcome: 'not_a_member', chatType: 'ROOM' },
    hidden: { outcome: 'not_a_member', chatType: 'GROUP' },
    reader: { outcome: 'role_too_low', chatType: 'GROUP' },
    nowhere: { outcome: 'chat_not_found' },
  };
  repository.result = ({ text }) => results[text] ?? { outcome: 'acceptable' };
  expect(await outcomes([...Object.keys(results), 'good'].map((text) => send(text)))).toEqual([
    'MESSAGE_ID_REUSED',
    'NOT_A_MEMBER',
    'CHAT_NOT_FOUND',
    'ROLE_TOO_LOW',
    'CHAT_NOT_FOUND',
    'accepted',
  ]);
  expect(log.entries).toEqual(['good']);
});

test('a message that may have been appended before its sender was removed is not reported as refused', async () => {
  const { repository, log, send, outcomes } = newFixture();
  log.answers.set('1', ['lost']);
  let checks = 0;
  repository.result = () => {
    checks += 1;
    return checks === 1 ? { outcome: 'acceptable' } : { outcome: 'not_a_member', chatType: 'GROUP' };
  };
  expect(await outcomes([send('1')])).toEqual(['STORAGE_UNAVAILABLE']);
  expect(log.entries).toEqual(['1']);
});

test('a message that was written already is answered with its number', async () => {
  const { repository, log, send } = newFixture();
  const written = { outcome: 'repeated', messageId: 'id', seq: 7, createdAt: new Date(1) } as const;
  repository.result = () => written;
  expect(await send('again')).toEqual({ messageId: 'id', seq: 7, createdAt: new Date(1) });
  expect(log.entries).toEqual([]);
});

test.each(['away', 'silent'] as const)(
  'while the database is %s, senders that passed a recent check are accepted',
  async (how) => {
    const { repository, send, outcomes } = newFixture({ giveUpAfterMs });
    await send('before');
    repository[how] = true;
    expect(await outcomes([send('known'), send('known too')])).toEqual(['accepted', 'accepted']);
    expect(await outcomes([send('other', 'bob'), send('elsewhere', 'alice', 'other chat')])).toEqual([
      'STORAGE_UNAVAILABLE',
      'STORAGE_UNAVAILABLE',
    ]);
  },
);

test('checks of an epoch that is over do not count: the database may have lost the chat', async () => {
  const { repository, epochs, send, outcomes } = newFixture({ giveUpAfterMs });
  await send('before');
  epochs.begin('second');
  repository.away = true;
  expect(await outcomes([send('after')])).toEqual(['STORAGE_UNAVAILABLE']);

  repository.away = false;
  // The answer is of the epoch that is over when it arrives.
  repository.result = () => {
    epochs.begin('third');
    return { outcome: 'acceptable' };
  };
  await expect.poll(() => outcomes([send('again')])).toEqual(['accepted']);
  repository.away = true;
  expect(await outcomes([send('later')])).toEqual(['STORAGE_UNAVAILABLE']);
});

test('remembered checks expire, end with a refusal, and are limited in number', async () => {
  const brief = newFixture({ rememberMs: 0, giveUpAfterMs });
  await brief.send('before');
  brief.repository.away = true;
  expect(await brief.outcomes([brief.send('too late')])).toEqual(['STORAGE_UNAVAILABLE']);

  const refused = newFixture({ giveUpAfterMs });
  await refused.send('before');
  refused.repository.result = () => ({ outcome: 'not_a_member', chatType: 'ROOM' });
  await refused.outcomes([refused.send('not any more')]);
  refused.repository.away = true;
  expect(await refused.outcomes([refused.send('still not')])).toEqual(['STORAGE_UNAVAILABLE']);

  const bounded = newFixture({ giveUpAfterMs });
  for (const name of ['alice', 'bob', 'carol']) await bounded.send('before', name);
  bounded.repository.away = true;
  expect(await bounded.outcomes(['alice', 'bob', 'carol'].map((name) => bounded.send('after', name)))).toEqual([
    'STORAGE_UNAVAILABLE',
    'accepted',
    'accepted',
  ]);
});

test('a database of the other mode accepts no message, also from memory afterwards', async () => {
  const { repository, log, send, outcomes } = newFixture({ giveUpAfterMs });
  await send('before');
  repository.result = () => ({ outcome: 'other_mode' });
  expect(await outcomes([send('not any more')])).toEqual(['STORAGE_UNAVAILABLE']);
  repository.away = true;
  expect(await outcomes([send('still not')])).toEqual(['STORAGE_UNAVAILABLE']);
  expect(log.entries).toEqual(['before']);
});

test('a database that is away is asked rarely, and decides again as soon as it is back', async () => {
  const { repository, send } = newFixture();
  await send('before');
  repository.away = true;
  const asked = repository.asked;
  for (let i = 0; i < 20; i += 1) await send(`meanwhile ${i}`);
  expect(repository.asked - asked).toBeLessThan(10);
  repository.away = false;
  repository.result = () => ({ outcome: 'chat_not_found' });
  await expect(
    (async () => {
      for (;;) await send('back');
    })(),
  ).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
});
