import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../config/config.ts';
import { newGroup, say, signIn } from '../../testing/clients/person.ts';
import { startTestService } from '../../testing/services/test-service.ts';

test('what nodes of the version before do not know is refused while it is not enabled, and nothing else', async () => {
  const service = await startTestService({ FEATURES_ENABLED: '' });
  onTestFinished(() => service.stop());
  const alice = await signIn(service.transport(), 'alice');
  const group = await newGroup(alice);
  const { messageId } = await say(alice, group, 'text');
  const request = () => ({ chatId: group.id, clientMessageId: randomUUID(), text: 'text' });
  const edit = { chatId: group.id, messageId, clientChangeId: 'e', text: 'other', ifVersion: undefined };
  const disabled = { code: 'FAILED_PRECONDITION', reason: 'FEATURE_DISABLED' };

  await expect(alice.chat.sendMessage({ ...request(), data: { a: 1 } })).rejects.toMatchObject(disabled);
  await expect(alice.chat.editMessage({ ...edit, data: { a: 1 } })).rejects.toMatchObject(disabled);
  await expect(alice.chat.editMessage({ ...edit, data: {} })).rejects.toMatchObject(disabled);
  await expect(alice.chat.startMessage(request())).rejects.toMatchObject(disabled);

  const reaction = { chatId: group.id, messageId, emoji: '👍', clientChangeId: '' };
  await expect(alice.chat.addReaction(reaction)).rejects.toMatchObject(disabled);
  await expect(alice.chat.removeReaction(reaction)).rejects.toMatchObject(disabled);
  for (const fields of [{ type: 'a' }, { silent: true }, { replyToId: messageId }, { rootId: messageId }])
    await expect(alice.chat.sendMessage({ ...request(), ...fields })).rejects.toMatchObject(disabled);

  expect(await alice.chat.sendMessage({ ...request(), data: {}, type: 'text' })).toMatchObject({ seq: 3 });
  expect(await alice.chat.editMessage(edit)).toMatchObject({ seq: 4 });
});

test('a feature that does not exist is a fault of the settings', () => {
  expect(() => readConfig({ FEATURES_ENABLED: 'message_data, time_travel' })).toThrow(
    /FEATURES_ENABLED must be a list of message_data, message_kinds, reactions, streamed_messages, mentions, or empty; not: time_travel/,
  );
});
