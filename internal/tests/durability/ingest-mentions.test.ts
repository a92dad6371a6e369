import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Mention } from '../../../pkg/api/chat/v1/chat.ts';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { newGroup, type Person, signIn } from '../../testing/clients/person.ts';
import { refusedFields } from '../../testing/clients/refused-fields.ts';
import { eventually } from '../../testing/eventually.ts';
import { ingestEnv } from '../../testing/services/ingest-env.ts';
import { startTestService } from '../../testing/services/test-service.ts';

let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

test('mentions are checked before a message is accepted, and counted once it is written', async () => {
  const service = await startTestService(ingestEnv(nats));
  onTestFinished(() => service.stop());
  const [alice, bob, eve] = (await Promise.all(
    ['alice', 'bob', 'eve'].map((name) => signIn(service.transport(), name)),
  )) as [Person, Person, Person];
  const group = await newGroup(alice, bob);
  const send = (
    sender: Person,
    mention: Pick<Mention, 'userId' | 'everyone'>,
    clientMessageId: string = randomUUID(),
  ) =>
    sender.chat.sendMessage({
      chatId: group.id,
      text: 'hey you',
      clientMessageId,
      mentions: [{ ...mention, offset: 4, length: 3 }],
    });
  const toBob = { userId: bob.id, everyone: false };

  const { messageId, seq } = await send(alice, toBob, 'm');
  expect(seq).toBe(0);
  expect(await refusedFields(send(alice, { userId: eve.id, everyone: false }))).toEqual(['mentions[0].user_id']);
  await expect(send(bob, { userId: '', everyone: true })).rejects.toMatchObject({ reason: 'ROLE_TOO_LOW' });
  await expect(send(eve, toBob)).rejects.toMatchObject({ reason: 'CHAT_NOT_FOUND' });
  await send(alice, { userId: '', everyone: true });

  await eventually(async () =>
    expect((await bob.chat.getChat({ chatId: group.id })).chat).toMatchObject({ unreadCount: 2, mentionCount: 2 }),
  );
  const { messages } = await bob.chat.listMentions({});
  expect(messages.map(({ mentions }) => mentions)).toEqual([
    [{ userId: '', everyone: true, offset: 4, length: 3 }],
    [{ ...toBob, offset: 4, length: 3 }],
  ]);

  // A repetition is answered though the mentioned user has left since.
  await bob.chat.leaveChat({ chatId: group.id });
  expect(await send(alice, toBob, 'm')).toMatchObject({ messageId });
  await expect(send(alice, { userId: '', everyone: true }, 'm')).rejects.toMatchObject({ reason: 'MESSAGE_ID_REUSED' });
});
