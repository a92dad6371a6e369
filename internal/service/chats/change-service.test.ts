import { afterAll, beforeAll, expect, test } from 'vitest';
import { principalOf, startTestNode, type TestNode } from '../../testing/services/test-node.ts';
import { newMessage, openTestStorage, type TestStorage } from '../../testing/services/test-storage.ts';

let storage: TestStorage;
let node: TestNode;
/** Whether everything that was accepted is written. */
let isSettled = false;
beforeAll(async () => {
  storage = await openTestStorage();
  node = await startTestNode(storage, { unwritten: { settle: async () => isSettled } });
});
afterAll(async () => {
  await node.stop();
  await storage.close();
});

const alice = principalOf('alice');
const accepted = '01a2f0c4-7d1b-8c53-9a6e-3b1f0d2c4e5f';

test('a change of a message that may be accepted and not written yet can be tried again', async () => {
  const { chat } = await node.service.createChat(alice, { type: 'GROUP', name: 'chat', memberIds: [] });
  const edit = (messageId: string) => {
    const request = { chatId: chat.id, messageId, clientChangeId: messageId, ifVersion: undefined, text: 'edited' };
    return node.changes.editMessage(alice, request);
  };
  await expect(edit(accepted)).rejects.toMatchObject({ reason: 'STORAGE_UNAVAILABLE', retryAfterMs: 500 });
  isSettled = true;
  await expect(edit(accepted)).rejects.toMatchObject({ reason: 'MESSAGE_NOT_FOUND' });
  isSettled = false;
  await expect(edit(accepted.replace('-8c53', '-7c53'))).rejects.toMatchObject({ reason: 'MESSAGE_NOT_FOUND' });

  await storage.messages.appendBatch([{ ...newMessage(chat.id, 'alice'), id: accepted }], ['OWNER']);
  expect(await edit(accepted)).toMatchObject({ seq: 3 });
});
