import { expect, onTestFinished, test } from 'vitest';
import { account, ChatClient, newId, refreshToken, webSocketTransport } from '../index.ts';

test('ids are random UUIDs of version 4', () => {
  const ids = Array.from({ length: 2_000 }, newId);
  for (const id of ids) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect(new Set(ids).size).toBe(ids.length);
});

test('a page that came without TLS, where there is no crypto.randomUUID, can sign in and send', async () => {
  const { randomUUID } = crypto;
  Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true });
  onTestFinished(() => {
    Object.defineProperty(crypto, 'randomUUID', { value: randomUUID, configurable: true });
  });
  account('alice', 'password');
  refreshToken('stored', () => {});
  const transport = webSocketTransport('http://127.0.0.1:9');
  const client = new ChatClient({ transport, token: account('alice', 'password') });
  const sent = client.send('chat', 'text');
  expect(client.pendingMessages).toMatchObject([{ text: 'text', clientMessageId: expect.stringMatching(/^.{36}$/) }]);
  await client.close();
  await expect(sent).rejects.toMatchObject({ code: 'CANCELLED' });
});
