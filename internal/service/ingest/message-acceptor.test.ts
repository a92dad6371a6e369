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

/** A database whose answer can be chosen, and that can be away. */
class Judge {
  away = false;
  silent = false;
  asked = 0;
  verdict: (message: NewMessage) => AcceptanceCheck = () => ({ outcome: 'acceptable' });

  async checkAcceptance(batch: readonly NewMessage[]): Promise<AcceptanceCheck[]> {
    this.asked += 1;
    if (this.silent) await new Promise(() => {});
    if (this.away) throw new ChatError('STORAGE_UNAVAILABLE', 'away');
    return batch.map(this.verdict);
  }
}

/** A log in which the answer to each attempt at a message can be chosen. */
class Log implements Pick<IngestLog, 'append'> {
  readonly entries: string[] = [];
  answers = new Map<string, ('lost' | 'refused' | 'full')[]>();

  async append(messages: readonly AcceptedMessage[]): Promise<AppendResult[]> {
    return messages.map(({ text }) => {
      const answer = this.answers.get(text)?.shift();
      if (answer === 'full') return { outcome: 'full' };
      if (answer !== 'refused' && !this.entries.includes(text)) this.entries.push(text);
      return answer ? { outcome: 'unavailable', cause: new Error(answer) } : { outcome: 'kept' };
    });
  }
}

function newStand(rememberMs = 60_000) {
  const [checkAcceptance, log] = [new Judge(), new Log()];
  const checks = new SenderChecks(
    { repository: checkAcceptance, log: new LogLines().logger },
    { max: 2, rememberMs, patienceMs: 100, restMs: 50 },
  );
  const writer = new MessageWriter(
    { messages: new MessageAcceptor({ checks, log }), bus: new MemoryBus(), log: new LogLines().logger },
    { maxBatch: 100, maxInFlight: 2, maxQueued: 1_000, giveUpAfterMs: 600 },
  );
  const send = (text: string, sender = 'alice', chatId = 'chat') =>
    writer.append({ chatId, sender: { id: sender, name: sender }, clientMessageId: randomUUID(), text });
  /** What became of messages that were sent at once. */
  const outcomes = async (sends: Promise<unknown>[]) =>
    (await Promise.allSettled(sends)).map((result) =>
      result.status === 'fulfilled' ? 'accepted' : (result.reason as ChatError).reason,
    );
  return { checkAcceptance, log, send, outcomes };
}

test('a message whose keeping failed does not come to stand behind a later one that was acknowledged', async () => {
  const { log, send, outcomes } = newStand();
  log.answers.set('1', ['refused']);
  expect(await outcomes([send('1'), send('2')])).toEqual(['STORAGE_UNAVAILABLE', 'accepted']);
  expect(log.entries).toEqual(['2']);
});

test('while nothing is kept the same messages are tried again, in the same order', async () => {
  const { log, send, outcomes } = newStand();
  log.answers.set('1', ['refused', 'lost']);
  log.answers.set('2', ['refused', 'refused']);
  expect(await outcomes([send('1'), send('2')])).toEqual(['accepted', 'accepted']);
  expect(log.entries).toEqual(['1', '2']);
});

test('a message for which there is no room is refused, and others are not', async () => {
  const { log, send, outcomes } = newStand();
  log.answers.set('big', ['full']);
  expect(await outcomes([send('big'), send('small')])).toEqual(['WRITER_BUSY', 'accepted']);
});

test('what the database says against a message is told, and the message is not kept', async () => {
  const { checkAcceptance, log, send, outcomes } = newStand();
  const verdicts: Record<string, AcceptanceCheck> = {
    reused: { outcome: 'reused', chatType: 'ROOM' },
    stranger: { outcome: 'not_a_member', chatType: 'ROOM' },
    hidden: { outcome: 'not_a_member', chatType: 'GROUP' },
    reader: { outcome: 'role_too_low', chatType: 'GROUP' },
    nowhere: { outcome: 'chat_not_found' },
  };
  checkAcceptance.verdict = ({ text }) => verdicts[text] ?? { outcome: 'acceptable' };
  expect(await outcomes([...Object.keys(verdicts), 'good'].map((text) => send(text)))).toEqual([
    'MESSAGE_ID_REUSED',
    'NOT_A_MEMBER',
    'CHAT_NOT_FOUND',
    'ROLE_TOO_LOW',
    'CHAT_NOT_FOUND',
    'accepted',
  ]);
  expect(log.entries).toEqual(['good']);
});

test('a message that may have been kept before its sender was taken out is not called refused', async () => {
  const { checkAcceptance, log, send, outcomes } = newStand();
  log.answers.set('1', ['lost']);
  let checks = 0;
  checkAcceptance.verdict = () => {
    checks += 1;
    return checks === 1 ? { outcome: 'acceptable' } : { outcome: 'not_a_member', chatType: 'GROUP' };
  };
  expect(await outcomes([send('1')])).toEqual(['STORAGE_UNAVAILABLE']);
  expect(log.entries).toEqual(['1']);
});

test('a message that was written already is answered with its number', async () => {
  const { checkAcceptance, log, send } = newStand();
  const written = { outcome: 'repeated', messageId: 'id', seq: 7, createdAt: new Date(1) } as const;
  checkAcceptance.verdict = () => written;
  expect(await send('again')).toEqual({ messageId: 'id', seq: 7, createdAt: new Date(1) });
  expect(log.entries).toEqual([]);
});

test.each(['away', 'silent'] as const)(
  'while the database is %s, those who were let through lately are',
  async (how) => {
    const { checkAcceptance, send, outcomes } = newStand();
    await send('before');
    checkAcceptance[how] = true;
    expect(await outcomes([send('known'), send('known too')])).toEqual(['accepted', 'accepted']);
    expect(await outcomes([send('other', 'bob'), send('elsewhere', 'alice', 'other chat')])).toEqual([
      'STORAGE_UNAVAILABLE',
      'STORAGE_UNAVAILABLE',
    ]);
  },
);

test('what is remembered of senders ends after its time, with a refusal, and is bounded', async () => {
  const brief = newStand(0);
  await brief.send('before');
  brief.checkAcceptance.away = true;
  expect(await brief.outcomes([brief.send('too late')])).toEqual(['STORAGE_UNAVAILABLE']);

  const refused = newStand();
  await refused.send('before');
  refused.checkAcceptance.verdict = () => ({ outcome: 'not_a_member', chatType: 'ROOM' });
  await refused.outcomes([refused.send('not any more')]);
  refused.checkAcceptance.away = true;
  expect(await refused.outcomes([refused.send('still not')])).toEqual(['STORAGE_UNAVAILABLE']);

  const bounded = newStand();
  for (const name of ['alice', 'bob', 'carol']) await bounded.send('before', name);
  bounded.checkAcceptance.away = true;
  expect(await bounded.outcomes(['alice', 'bob', 'carol'].map((name) => bounded.send('after', name)))).toEqual([
    'STORAGE_UNAVAILABLE',
    'accepted',
    'accepted',
  ]);
});

test('a database that is away is asked once in a while only, and believed as soon as it is back', async () => {
  const { checkAcceptance, send } = newStand();
  await send('before');
  checkAcceptance.away = true;
  const asked = checkAcceptance.asked;
  for (let i = 0; i < 20; i += 1) await send(`meanwhile ${i}`);
  expect(checkAcceptance.asked - asked).toBeLessThan(10);
  checkAcceptance.away = false;
  checkAcceptance.verdict = () => ({ outcome: 'chat_not_found' });
  await expect(
    (async () => {
      for (;;) await send('back');
    })(),
  ).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
});
