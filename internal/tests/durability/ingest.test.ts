import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { newGroup, personOf, say, signIn } from '../../testing/clients/person.ts';
import { Traffic } from '../../testing/clients/traffic.ts';
import { whenWritten } from '../../testing/clients/when-written.ts';
import { LogLines } from '../../testing/collectors/log-lines.ts';
import { eventually } from '../../testing/eventually.ts';
import { expectEachWrittenOnce } from '../../testing/services/ingest-check.ts';
import { ingestEnv } from '../../testing/services/ingest-env.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

async function startService(env: Record<string, string>, options: Parameters<typeof startTestService>[1] = {}) {
  const service = await startTestService(env, options);
  onTestFinished(() => service.stop());
  return service;
}

async function startTraffic({ address }: TestService, clients = 3): Promise<Traffic> {
  const traffic = await Traffic.start(address, clients);
  onTestFinished(() => traffic.close());
  return traffic;
}

test('a message is acknowledged without a number, and delivered once and in order with its number', async () => {
  const service = await startService(ingestEnv(nats));
  const traffic = await startTraffic(service);
  await traffic.flow(1_000);
  await traffic.stop();
  expect(traffic.sent.flat().every(({ seq }) => seq === 0)).toBe(true);
  await expectEachWrittenOnce(traffic);
});

test('before it is written, a message is distinguished from a repetition and from another one with the same id', async () => {
  const service = await startService({ ...ingestEnv(nats), ROLES: 'grpc,gateway,auth' });
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const send = (text: string) => alice.chat.sendMessage({ chatId: group.id, text, clientMessageId: 'one' });

  const first = await send('hello');
  expect(first).toMatchObject({ seq: 0, messageId: expect.any(String) });
  expect(await send('hello')).toEqual(first);
  await expect(send('something else')).rejects.toMatchObject({ reason: 'MESSAGE_ID_REUSED' });
});

test('a change waits until its message is written; of a message that was never accepted it is refused', async () => {
  const service = await startService(ingestEnv(nats));
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const edit = (messageId: string) =>
    whenWritten(() =>
      alice.chat.editMessage({ chatId: group.id, messageId, text: 'edited', clientChangeId: messageId }),
    );
  for (let i = 0; i < 20; i += 1) {
    const { messageId } = await say(alice, group, `text ${i}`);
    expect(await edit(messageId)).toMatchObject({ seq: 3 + 2 * i });
  }
  const never = 'ffffffff-ffff-8fff-bfff-ffffffffffff';
  await expect(edit(never)).rejects.toMatchObject({ reason: 'MESSAGE_NOT_FOUND' });
});

test('an accepted message is written even if its sender was removed meanwhile, with the time at which it is written', async () => {
  const env = ingestEnv(nats);
  const service = await startService({ ...env, ROLES: 'grpc,gateway,auth' });
  const [alice, bob] = [await signIn(service.transport(), 'alice'), await signIn(service.transport(), 'bob')];
  const group = await newGroup(alice, bob);
  const receipt = await say(bob, group, 'last words');
  await alice.chat.removeMember({ chatId: group.id, userId: bob.id });
  await expect(say(bob, group, 'more')).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });

  await startService({ ...env, POSTGRES_DSN: service.dsn });

  const written = await eventually(() => alice.chat.getMessage({ chatId: group.id, messageId: receipt.messageId }));
  expect(written.message?.text).toBe('last words');
  const { messages } = await alice.chat.listMessages({ chatId: group.id, pageSize: 10 });
  expect(messages.at(-1)?.id).toBe(receipt.messageId);
  const times = messages.map(({ createdAt }) => createdAt!.getTime());
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test('an accepted message is dropped when its chat has been deleted', async () => {
  const env = ingestEnv(nats);
  const log = new LogLines();
  const service = await startService({ ...env, ROLES: 'grpc,gateway,auth' });
  const alice = await signIn(service.transport(), 'alice');
  const [doomed, other] = [await newGroup(alice), await newGroup(alice)];
  await say(alice, doomed, 'too late');
  const receipt = await say(alice, other, 'in time');
  await alice.chat.deleteChat({ chatId: doomed.id });

  await startService({ ...env, POSTGRES_DSN: service.dsn }, { log: log.logger });

  await eventually(() => alice.chat.getMessage({ chatId: other.id, messageId: receipt.messageId }));
  await eventually(() => expect(log.lines).toContainEqual(expect.objectContaining({ level: 40, chatId: doomed.id })));
  expect(log.errors).toEqual([]);
});

test('a service that is stopped and restarted loses nothing', async () => {
  const env = ingestEnv(nats);
  const service = await startTestService(env);
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const sends = Array.from({ length: 200 }, (_, i) => say(alice, group, `${i}`));
  const receipts = await Promise.all(sends);
  await service.stop();

  const again = await startService({ ...env, POSTGRES_DSN: service.dsn });
  const same = personOf(again.transport(), alice);
  await eventually(async () => {
    const { messages } = await same.chat.listMessages({ chatId: group.id, afterSeq: 1, pageSize: 200 });
    expect(new Set(messages.map(({ id }) => id))).toEqual(new Set(receipts.map(({ messageId }) => messageId)));
  });
});

test('a start with another number of partitions fails and says what to set', async () => {
  const env = ingestEnv(nats);
  const service = await startService(env);
  await expect(startTestService({ ...env, INGEST_PARTITIONS: '8', POSTGRES_DSN: service.dsn })).rejects.toThrow(
    /has 4 partitions, which cannot be changed: set INGEST_PARTITIONS=4$/,
  );
});

test('a full JetStream stream refuses messages with a retry time', async () => {
  const service = await startService({ ...ingestEnv(nats), INGEST_MAX_BYTES: '65536' });
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const flood = async () => {
    for (;;) await say(alice, group, 'x'.repeat(3_000));
  };
  await expect(flood()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    reason: 'WRITER_BUSY',
    retryAfterMs: expect.any(Number),
  });
});
