import { expect, onTestFinished, test } from 'vitest';
import { ChatType } from '../../../pkg/api/chat/v1/chat.ts';
import { type Person, say, signIn } from '../../testing/clients/person.ts';
import { commands, type StreamProbe } from '../../testing/clients/stream-probe.ts';
import { eventually } from '../../testing/eventually.ts';
import { ReplicatedPostgres } from '../../testing/services/replicated-postgres.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

// Slow: real servers are copied, killed, promoted and restored.

/** The events of one chat that a reader was sent, as short texts. */
function heard(stream: StreamProbe, chatId: string): string[] {
  return stream.events.flatMap((event) => {
    if (event.$case === 'message' && event.value.chatId === chatId) return `${event.value.seq} ${event.value.text}`;
    if (event.$case === 'reset' && event.value.chatId === chatId) return `reset ${event.value.fromSeq}`;
    return [];
  });
}

async function start(dsn: string): Promise<TestService> {
  const service = await startTestService({ REPAIR_INTERVAL_MS: '200', WRITER_GIVE_UP_MS: '20000' }, { dsn });
  onTestFinished(() => service.stop());
  return service;
}

async function newGroup(alice: Person, ...memberIds: string[]): Promise<string> {
  const { chat } = await alice.chat.createChat({ type: ChatType.GROUP, name: 'group', memberIds });
  return chat!.id;
}

const sayAll = async (person: Person, id: string, texts: readonly string[]) => {
  for (const text of texts) await say(person, { id }, text);
};

const epochOf = (stream: StreamProbe) =>
  stream.events.flatMap((e) => (e.$case === 'subscribed' ? e.value.epoch : []))[0]!;

async function replicated() {
  const servers = await ReplicatedPostgres.start();
  onTestFinished(() => servers.stop());
  const dsn = await servers.createDatabase('chat');
  const service = await start(dsn);
  const [alice, bob] = [await signIn(service.transport(), 'alice'), await signIn(service.transport(), 'bob')];
  const chatId = await newGroup(alice, bob.id);
  const reader = await bob.connect();
  await reader.ask(commands.subscribe(chatId, 0));
  return { servers, dsn, service, alice, bob, chatId, reader };
}

test('after a failover that lost the last messages every reader is told, and gets what the new primary acknowledged', {
  timeout: 120_000,
}, async () => {
  const { servers, alice, bob, chatId, reader } = await replicated();
  await sayAll(alice, chatId, ['a', 'b', 'c']);
  const untouched = await newGroup(alice, bob.id);
  await reader.ask(commands.subscribe(untouched, 0));
  await servers.caughtUp();
  servers.disconnectStandby();
  await sayAll(alice, chatId, ['lost 1', 'lost 2', 'lost 3']);
  await eventually(() => expect(heard(reader, chatId).at(-1)).toBe('7 lost 3'));
  const away = { epoch: epochOf(reader), seq: 7 };

  await servers.killPrimary();
  await servers.promote();
  await sayAll(alice, chatId, ['new 5', 'new 6', 'new 7', 'new 8']);

  const expected = [
    '2 a',
    '3 b',
    '4 c',
    '5 lost 1',
    '6 lost 2',
    '7 lost 3',
    'reset 4',
    '5 new 5',
    '6 new 6',
    '7 new 7',
    '8 new 8',
  ];
  await eventually(() => expect(heard(reader, chatId).slice(1)).toEqual(expected));
  // A chat that lost nothing goes on without a gap, in the new epoch.
  await say(alice, { id: untouched }, 'still here');
  await eventually(() => expect(heard(reader, untouched)).toEqual(['1 ', 'reset 1', '2 still here']));

  // One who was away, and whose cursor the new numbers have passed.
  const returning = await bob.connect();
  await returning.ask(commands.subscribe(chatId, away.seq, away.epoch));
  await eventually(() =>
    expect(heard(returning, chatId)).toEqual(['reset 4', '5 new 5', '6 new 6', '7 new 7', '8 new 8']),
  );
  const present = returning.events.flatMap((event) => (event.$case === 'subscribed' ? event.value.epoch : []))[0]!;
  expect(present).not.toBe(away.epoch);
  const again = await bob.connect();
  await again.ask(commands.subscribe(chatId, 7, present));
  await eventually(() => expect(heard(again, chatId)).toEqual(['8 new 8']));
});

test('after a restore from a base backup every reader is told where the history goes on', {
  timeout: 120_000,
}, async () => {
  const { servers, alice, bob, chatId, reader } = await replicated();
  await sayAll(alice, chatId, ['a', 'b']);
  const backup = await servers.backUp();
  await sayAll(alice, chatId, ['lost 1', 'lost 2', 'lost 3']);
  await eventually(() => expect(heard(reader, chatId).at(-1)).toBe('6 lost 3'));
  const away = { epoch: epochOf(reader), seq: 6 };

  await servers.restore(backup);
  await sayAll(alice, chatId, ['new 1']);

  await eventually(() => expect(heard(reader, chatId).slice(-2)).toEqual(['reset 3', '4 new 1']));
  const returning = await bob.connect();
  await returning.ask(commands.subscribeAll({ [chatId]: away.seq }, 0, { [chatId]: away.epoch }));
  await eventually(() => expect(heard(returning, chatId)).toEqual(['reset 3', '4 new 1']));
});
