import { expect, onTestFinished, test } from 'vitest';
import { startNats } from '../../servers/brokers.ts';
import { readExported } from '../../testing/clients/exported-events.ts';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { ReplicatedPostgres } from '../../testing/services/replicated-postgres.ts';
import { startTestService } from '../../testing/services/test-service.ts';

// Slow: real servers are copied, killed and promoted.

/** What a consumer has of each chat that follows the rules of docs/consuming-events.md: the newest texts of messages by their numbers. */
async function consume(url: string): Promise<Record<string, Record<number, string>>> {
  const chats = new Map<string, { last: number; texts: Map<number, string> }>();
  for (const { subject, event, seq: number, body } of await readExported(url)) {
    const chatId = subject.split('.').at(-1)!;
    if (event === 'chat_deleted') {
      chats.delete(chatId);
      continue;
    }
    const chat = chats.get(chatId) ?? { last: 0, texts: new Map<number, string>() };
    chats.set(chatId, chat);
    if (event === 'reset') {
      chat.last = Math.min(chat.last, number);
      for (const seq of chat.texts.keys()) if (seq > number) chat.texts.delete(seq);
    } else if (number > chat.last) {
      chat.last = number;
      if (event === 'covered') continue;
      const { seq, text = '' } = JSON.parse(Buffer.from(body).toString());
      chat.texts.set(Number(seq), text);
    }
  }
  return Object.fromEntries([...chats].map(([chatId, { texts }]) => [chatId, Object.fromEntries(texts)]));
}

test('after a failover that lost messages which were exported, a consumer ends with the history of the new primary', {
  timeout: 120_000,
}, async () => {
  const nats = await startNats();
  onTestFinished(() => nats.stop());
  const url = `nats://127.0.0.1:${nats.port}`;
  const servers = await ReplicatedPostgres.start();
  onTestFinished(() => servers.stop());
  const dsn = await servers.createDatabase('chat');
  const service = await startTestService({ NATS_URL: url, EXPORT: 'jetstream', WRITER_GIVE_UP_MS: '20000' }, { dsn });
  onTestFinished(() => service.stop());
  const alice = await signIn(service.transport(), 'alice');
  const [written, silent, untouched, deleted, changed] = await Promise.all([1, 2, 3, 4, 5].map(() => newGroup(alice)));
  const all = [written!, silent!, untouched!, deleted!, changed!];
  const [, , , , message] = await Promise.all(all.map((chat) => say(alice, chat, 'kept')));
  const kept = { 1: '', 2: 'kept' };
  await eventually(async () => expect(await consume(url)).toEqual(Object.fromEntries(all.map(({ id }) => [id, kept]))));
  await servers.caughtUp();

  servers.disconnectStandby();
  for (const text of ['lost 3', 'lost 4', 'lost 5'])
    for (const chat of [written!, silent!]) await say(alice, chat, text);
  const lost = await newGroup(alice);
  await alice.chat.deleteChat({ chatId: deleted!.id });
  const change = { chatId: changed!.id, messageId: message!.messageId, reason: '' };
  await alice.chat.editMessage({ ...change, clientChangeId: 'edit', text: 'lost edit' });
  await alice.chat.deleteMessage({ ...change, clientChangeId: 'delete', hide: false });
  const lostTexts = { ...kept, 3: 'lost 3', 4: 'lost 4', 5: 'lost 5' };
  await eventually(async () =>
    expect(await consume(url)).toEqual({
      [written!.id]: lostTexts,
      [silent!.id]: lostTexts,
      [untouched!.id]: kept,
      [changed!.id]: { ...kept, 2: '' },
      [lost.id]: { 1: '' },
    }),
  );

  await servers.killPrimary();
  await servers.promote();
  for (const text of ['new 3', 'new 4']) await say(alice, written!, text);

  await eventually(async () =>
    expect(await consume(url)).toEqual({
      [written!.id]: { ...kept, 3: 'new 3', 4: 'new 4' },
      [silent!.id]: kept,
      [untouched!.id]: kept,
      [deleted!.id]: kept,
      [changed!.id]: kept,
    }),
  );
  // Where nothing was lost, nothing is repeated; each chat goes on.
  for (const chat of all) await say(alice, chat, 'later');
  await eventually(async () =>
    expect(await consume(url)).toEqual({
      [written!.id]: { ...kept, 3: 'new 3', 4: 'new 4', 5: 'later' },
      [silent!.id]: { ...kept, 3: 'later' },
      [untouched!.id]: { ...kept, 3: 'later' },
      [deleted!.id]: { ...kept, 3: 'later' },
      [changed!.id]: { ...kept, 3: 'later' },
    }),
  );
  const ofUntouched = (await readExported(url)).filter(({ subject }) => subject.endsWith(untouched!.id));
  expect(ofUntouched.map(({ event, seq }) => `${event} ${seq}`)).toEqual(['message 1', 'message 2', 'message 3']);
});
