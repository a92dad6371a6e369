import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { newGroup, type Person, say, signIn } from '../../testing/clients/person.ts';
import { refusedFields } from '../../testing/clients/refused-fields.ts';
import { eventually } from '../../testing/eventually.ts';
import { ingestEnv } from '../../testing/services/ingest-env.ts';
import { startTestService } from '../../testing/services/test-service.ts';

let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

/** A service that accepts messages, and writes none before `write` is called. */
async function scene() {
  const env = ingestEnv(nats);
  const service = await startTestService({ ...env, ROLES: 'grpc,gateway,auth' });
  onTestFinished(() => service.stop());
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const reply = (person: Person, fields: { replyToId?: string; rootId?: string }) =>
    person.chat.sendMessage({ chatId: group.id, text: 'reply', clientMessageId: randomUUID(), type: 'a', ...fields });
  const read = (messageId: string) =>
    eventually(async () => (await alice.chat.getMessage({ chatId: group.id, messageId })).message!);
  const write = async () => {
    const writer = await startTestService({ ...env, POSTGRES_DSN: service.dsn });
    onTestFinished(() => writer.stop());
    return writer;
  };
  return { alice, group, reply, read, write };
}

test('a reply to a message that is accepted and not written refers to it with its number', async () => {
  const { alice, group, reply, read, write } = await scene();
  const first = await say(alice, group, 'first');
  const second = await reply(alice, { replyToId: first.messageId, rootId: first.messageId });
  const third = await reply(alice, { replyToId: second.messageId, rootId: second.messageId });
  await write();
  expect(await read(third.messageId)).toMatchObject({
    type: 'a',
    seq: 4,
    replyTo: { messageId: second.messageId, seq: 3 },
    rootId: first.messageId,
  });
});

test('an acknowledged reply is written without a reference to a message that the chat does not have', async () => {
  const { alice, reply, read, write } = await scene();
  const never = 'ffffffff-ffff-8fff-bfff-ffffffffffff';
  const { messageId } = await reply(alice, { replyToId: never, rootId: never });
  await write();
  expect(await read(messageId)).toMatchObject({ text: 'reply', replyTo: undefined, rootId: '' });
});

test('a reference that PostgreSQL can judge is refused before the message is accepted', async () => {
  const { alice, group, reply } = await scene();
  const { messages } = await alice.chat.listMessages({ chatId: group.id });
  const systemMessage = messages[0]!.id;
  for (const id of ['00000000-0000-4000-8000-000000000000', systemMessage]) {
    expect(await refusedFields(reply(alice, { replyToId: id }))).toEqual(['reply_to_id']);
    expect(await refusedFields(reply(alice, { rootId: id }))).toEqual(['root_id']);
  }
  // A refused reference says nothing of the sender, who may go on.
  expect(await say(alice, group, 'text')).toMatchObject({ seq: 0 });
});

test('a reply keeps its reference to a message that is hidden before the reply is written', async () => {
  const { alice, group, reply, read, write } = await scene();
  const first = await say(alice, group, 'first');
  const writer = await write();
  await read(first.messageId);
  await writer.stop();
  const second = await reply(alice, { replyToId: first.messageId });
  const ids = { chatId: group.id, messageId: first.messageId };
  await alice.chat.deleteMessage({ ...ids, clientChangeId: '', hide: true, reason: '' });
  expect(await refusedFields(reply(alice, { replyToId: first.messageId }))).toEqual(['reply_to_id']);
  await write();
  expect((await read(second.messageId)).replyTo).toMatchObject({ messageId: first.messageId });
});
