import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Message } from '../../../pkg/chat-client/index.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

test('two clients converse in a room', async () => {
  const [alice, bob] = await Promise.all([service.client('alice'), service.client('bob')]);
  const heard: Message[] = [];
  bob.on('message', (message) => heard.push(message));
  const room = await alice.joinRoom('global');
  await bob.joinRoom('global');

  const receipt = await alice.send(room.id, 'hello');

  await eventually(() =>
    expect(heard.at(-1)).toMatchObject({ id: receipt.messageId, seq: receipt.seq, text: 'hello' }),
  );
  expect(heard.at(-1)?.sender).toEqual({ id: 'guest:alice', name: 'alice' });
});
