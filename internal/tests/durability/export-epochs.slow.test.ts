import { expect, onTestFinished, test } from 'vitest';
import { startNats } from '../../servers/brokers.ts';
import { readExported } from '../../testing/clients/exported-events.ts';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { eventually } from '../../testing/eventually.ts';
import { ReplicatedPostgres } from '../../testing/services/replicated-postgres.ts';
import { startTestService } from '../../testing/services/test-service.ts';

// Slow: real servers are copied, killed and promoted.

/** What a consumer has of each chat that follows the rules of docs/consuming-events.md: texts by their numbers. */
async function consume(url: string): Promise<Record<string, Record<number, string>>> {
  const chats = new Map<string, Map<number, string>>();
  for (const { subject, event, seq, body } of await readExported(url)) {
    const chatId = subject.split('.').at(-1)!;
    if (event === 'chat_deleted') {
      chats.delete(chatId);
      continue;
    }
    const texts = chats.get(chatId) ?? new Map<number, string>();
    chats.set(chatId, texts);
    const last = Math.max(0, ...texts.keys());
    if (event === 'reset') for (const number of texts.keys()) if (number > seq) texts.delete(number);
    if (event === 'message' && seq > last) texts.set(seq, JSON.parse(Buffer.from(body).toString()).text ?? '');
  }
  return Object.fromEntries([...chats].map(([chatId, texts]) => [chatId, Object.fromEntries(texts)]));
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
  const [written, silent, untouched, deleted] = await Promise.all([1, 2, 3, 4].map(() => newGroup(alice)));
  const all = [written!, silent!, untouched!, deleted!];
  for (const chat of all) await say(alice, chat, 'kept');
  const kept = { 1: '', 2: 'kept' };
  await eventually(async () => expect(await consume(url)).toEqual(Object.fromEntries(all.map(({ id }) => [id, kept]))));
  await servers.caughtUp();

  servers.disconnectStandby();
  for (const text of ['lost 3', 'lost 4', 'lost 5'])
    for (const chat of [written!, silent!]) await say(alice, chat, text);
  const lost = await newGroup(alice);
  await alice.chat.deleteChat({ chatId: deleted!.id });
  const lostTexts = { ...kept, 3: 'lost 3', 4: 'lost 4', 5: 'lost 5' };
  await eventually(async () =>
    expect(await consume(url)).toEqual({
      [written!.id]: lostTexts,
      [silent!.id]: lostTexts,
      [untouched!.id]: kept,
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
    }),
  );
  const ofUntouched = (await readExported(url)).filter(({ subject }) => subject.endsWith(untouched!.id));
  expect(ofUntouched.map(({ event, seq }) => `${event} ${seq}`)).toEqual(['message 1', 'message 2', 'message 3']);
});
