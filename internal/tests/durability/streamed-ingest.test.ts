import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { FinishOutcome } from '../../../pkg/api/chat/v1/chat.ts';
import { startNats } from '../../servers/brokers.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { ingestEnv } from '../../testing/services/ingest-env.ts';
import { startTestService } from '../../testing/services/test-service.ts';

let nats: ServerProcess;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

test('with INGEST=jetstream a streamed message goes past the log: it has its numbers at once', async () => {
  // Nobody writes what the log holds.
  const service = await startTestService({ ...ingestEnv(nats), ROLES: 'grpc,gateway,auth' });
  onTestFinished(() => service.stop());
  const alice = await signIn(service.transport(), 'alice');
  const { id: chatId } = await newGroup(alice);
  expect(await say(alice, { id: chatId }, 'waits in the log')).toMatchObject({ seq: 0 });
  const { messageId, seq } = await alice.chat.startMessage({ chatId, clientMessageId: randomUUID(), text: 'Once' });
  expect(seq).toBe(2);
  const part = { chatId, messageId, part: 1, text: ' upon' };
  expect(await alice.chat.appendMessage(part)).toMatchObject({ seq: 3 });
  expect(await alice.chat.finishMessage({ chatId, messageId, outcome: FinishOutcome.COMPLETE })).toMatchObject({
    seq: 4,
  });
  const { messages } = await alice.chat.listMessages({ chatId });
  expect(messages.map(({ text }) => text)).toEqual(['', 'Once upon']);
});
